#include "transfer/import_kellnr.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup/backup_tool.h"
#include "transfer/kellnr_sql.h"

enum { LIST_MAX = 1 << 30 };

bool
import_kellnr_is_conninfo(const char *database)
{
	return access(database, F_OK) == -1 && (strchr(database, '=') != NULL || strstr(database, "://") != NULL);
}

/* The database is somebody else's: a view in it must not run programs or write files, as edit() would. */
static int
ask(struct arena *a, const char *database, int fd, struct err *err)
{
	const char *const ask_sqlite[] = { "sqlite3", "-safe", "-batch", "-bail", "-readonly", "-init", "/dev/null",
		database, SQL_KELLNR_SQLITE, NULL };
	const char *const ask_postgresql[] = { "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c",
		SQL_KELLNR_POSTGRESQL_OWNERS, "-c", SQL_KELLNR_POSTGRESQL_VERSIONS, NULL };

	if (import_kellnr_is_conninfo(database))
		return backup_tool_run(a, ask_postgresql, database, fd, true,
		    "if it has no right to the tables, name a role that may read them in the connection string", err);
	return backup_tool_run(a, ask_sqlite, NULL, fd, true,
	    arena_printf(a, "check that %s is the database of a Kellnr, and that you may read it", database), err);
}

/* As ask(), but a program that never stops writing does not fill the disk or the memory. */
static int
ask_limited(struct arena *a, const char *database, int fd, struct err *err)
{
	struct rlimit was, limit;
	struct stat st;
	int rc;

	if (getrlimit(RLIMIT_FSIZE, &was) == -1)
		return err_sys(err, "the limit of the answer");
	limit = was;
	if (limit.rlim_cur > LIST_MAX)
		limit.rlim_cur = LIST_MAX;
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return err_sys(err, "the limit of the answer");
	rc = ask(a, database, fd, err);
	if (setrlimit(RLIMIT_FSIZE, &was) == -1)
		return err_sys(err, "the limit of the answer");
	if (rc == 0 || fstat(fd, &st) == -1 || (rlim_t)st.st_size < limit.rlim_cur)
		return rc;
	err_clear(err);
	return err_set(err, 400, "the database of Kellnr lists more than %ju bytes", (uintmax_t)limit.rlim_cur);
}

/* Reads all that the program has written. */
static int
read_back(struct arena *a, int fd, struct slice *text, struct err *err)
{
	struct stat st;
	char *bytes;

	if (fstat(fd, &st) == -1)
		return err_sys(err, "the answer of the database");
	bytes = arena_alloc(a, (size_t)st.st_size);
	if (pread(fd, bytes, (size_t)st.st_size, 0) != (ssize_t)st.st_size)
		return err_sys(err, "the answer of the database");
	*text = slice_of(bytes, (size_t)st.st_size);
	return 0;
}

int
import_kellnr_list(struct arena *a, const char *database, const struct import_source *files,
    struct import_source *source, struct err *err)
{
	int fd = memfd_create("list", MFD_CLOEXEC), rc;
	struct slice text = slice_str("");

	if (fd == -1)
		return err_sys(err, "memory for the list of crates");
	rc = ask_limited(a, database, fd, err) == -1 || read_back(a, fd, &text, err) == -1 ? -1 : 0;
	close(fd);
	return rc == -1 ? -1 : import_source_list_parse(a, text, "the database of Kellnr", files, source, err);
}
