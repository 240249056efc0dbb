#include "transfer/import_kellnr.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup/backup_tool.h"
#include "transfer/kellnr_sql.h"

static int
ask(struct arena *a, const char *database, int fd, struct err *err)
{
	const char *const ask_sqlite[] = { "sqlite3", "-batch", "-bail", "-readonly", "-init", "/dev/null", database,
		SQL_KELLNR_SQLITE, NULL };
	const char *const ask_postgresql[] = { "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", SQL_KELLNR_POSTGRESQL,
		NULL };
	bool is_conninfo = strchr(database, '=') != NULL || strstr(database, "://") != NULL;

	return backup_tool_run(a, is_conninfo ? ask_postgresql : ask_sqlite, is_conninfo ? database : NULL, fd, true,
	    err);
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
	rc = ask(a, database, fd, err) == -1 || read_back(a, fd, &text, err) == -1 ? -1 : 0;
	close(fd);
	return rc == -1 ? -1 : import_source_list_parse(a, text, "the database of Kellnr", files, source, err);
}
