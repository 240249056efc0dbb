#include "transfer/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/fault.h"
#include "base/gzip.h"
#include "base/json.h"
#include "crate/crate_name.h"
#include "store/blob/blob.h"
#include "store/package/crate.h"
#include "store/package/inventory.h"
#include "store/package/view.h"
#include "transfer/export_gone.h"
#include "transfer/export_index.h"

enum { PIECE = 64 * 1024, CONFIG_MAX = 4096 };

/* The new index, until it takes the place of the old one. */
static const char new_index[] = "index.new";
/* A file of the old index without some of its lines, until it takes the place of the file. */
static const char new_file[] = "crates/.index";

/* A version of the new index, whose bytes must be there before it is. */
struct wanted {
	const char *name, *version, *cksum;
	bool was_other; /* the old index has it with other bytes */
	bool is_due; /* its bytes are in DIR, but wait until the old index has lost that line */
	struct wanted *next;
};

/* An export on its way. */
struct passage {
	struct export *export;
	struct arena *arena;
	int root; /* of DIR */
	struct wanted *wanted, **last;
};

/* Refuses what has the name and is no directory: an export must not fill or empty what a link leads to. */
static int
check_dir(const struct export *export, int root, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == -1 || S_ISDIR(st.st_mode))
		return 0;
	return err_set(err, 400, "%s/%s is not a directory (a symbolic link?): use a directory without it",
	    export->dir, path);
}

/* Makes the directory, unless it is there; refuses a link to one. */
static int
make_dir(int root, const char *path, struct err *err)
{
	struct stat st;

	if (mkdirat(root, path, 0777) == 0)
		return 0;
	if (errno != EEXIST || fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_set(err, 400, "cannot make the directory %s: %s", path, strerrordesc_np(errno));
	return S_ISDIR(st.st_mode) ? 0 :
	    err_set(err, 400, "%s must be a directory, and not a link to one; remove it", path);
}

/* All directories that the path is in. */
static int
make_parents(struct arena *a, int root, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		if (make_dir(root, arena_strndup(a, path, (size_t)(slash - path)), err) == -1)
			return -1;
	}
	return 0;
}

static int
write_bytes(int fd, struct slice bytes, const char *path, struct err *err)
{
	return disk_write(fd, bytes) == 0 ? 0
	    : err_set(err, 400, "cannot write %s: %s", path, strerrordesc_np(errno));
}

/* A new file, in place of what has that name. */
static int
create(int root, const char *path, struct err *err)
{
	int fd = -1;

	if (unlinkat(root, path, 0) == 0 || errno == ENOENT)
		fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd == -1)
		err_set(err, 400, "cannot write %s: %s", path, strerrordesc_np(errno));
	return fd;
}

static int
write_file(int root, const char *path, struct slice bytes, struct err *err)
{
	int fd = create(root, path, err), rc;

	if (fd == -1)
		return -1;
	rc = write_bytes(fd, bytes, path, err);
	if (close(fd) == -1 && rc == 0)
		rc = err_set(err, 400, "cannot write %s: %s", path, strerrordesc_np(errno));
	return rc;
}

static int
copy_blob(const struct passage *p, struct arena *a, int from, const char *path, struct err *err)
{
	int to = create(p->root, path, err), rc = 0;
	char *piece = arena_alloc(a, PIECE);
	ssize_t n;

	if (to == -1)
		return -1;
	while (rc == 0 && (n = read(from, piece, PIECE)) != 0) {
		if (n > 0)
			rc = write_bytes(to, slice_of(piece, (size_t)n), path, err);
		else if (errno != EINTR)
			rc = err_sys(err, "read from the store");
	}
	if (close(to) == -1 && rc == 0)
		rc = err_set(err, 400, "cannot write %s: %s", path, strerrordesc_np(errno));
	return rc;
}

/* Renames a file in DIR, over what has the other name. */
static int
move(const struct passage *p, const char *from, const char *to, struct err *err)
{
	return renameat(p->root, from, p->root, to) == 0 ? 0 :
	    err_set(err, 400, "cannot write %s: %s", to, strerrordesc_np(errno));
}

static const char *
path_of(struct arena *a, const struct wanted *w)
{
	return arena_printf(a, "crates/%s/%s-%s.crate", w->name, w->name, w->version);
}

/* Where the bytes are until they are whole, or due. */
static const char *
part_of(struct arena *a, const struct wanted *w)
{
	return arena_printf(a, "crates/%s/.%s", w->name, w->cksum);
}

/* Puts the blob, which is open, at its place in DIR, or, if it must wait, beside that. */
static int
put_blob(const struct passage *p, struct arena *a, struct wanted *w, int from, struct err *err)
{
	const char *part = part_of(a, w);
	bool same;

	if (blob_hash_file(from, w->cksum, &same) == -1 || !same || lseek(from, 0, SEEK_SET) == -1)
		return err_internal(err, 500, "%s %s: its blob %s is damaged", w->name, w->version, w->cksum);
	if (copy_blob(p, a, from, part, err) == -1)
		return -1;
	w->is_due = w->was_other;
	if (!w->is_due && move(p, part, path_of(a, w), err) == -1)
		return -1;
	p->export->copied++;
	return 0;
}

/* Copies the crate unless it is in DIR. */
static int
export_version(const struct passage *p, struct arena *a, struct wanted *w, struct err *err)
{
	const char *path = path_of(a, w);
	const struct blob_store *store = p->export->store;
	int from, found = store->kind->open(store, a, blob_path(a, w->cksum), BLOB_SIZE_MAX, &from, err);
	int rc = 0;

	if (found == -1)
		return err_context(err, "%s %s: cannot read its blob %s", w->name, w->version, w->cksum);
	if (found == 0)
		return err_internal(err, 500, "%s %s: cannot read its blob %s: the store lacks it", w->name, w->version,
		    w->cksum);
	/* another project may have had the name, in a group or in an earlier export to DIR */
	if (!blob_is_sound_at(p->root, path, w->cksum))
		rc = make_parents(a, p->root, path, err) == -1 ? -1 : put_blob(p, a, w, from, err);
	close(from);
	return rc;
}

/* Takes the line of the version from the index that is served. */
static int
withdraw(const struct passage *p, struct arena *a, const struct wanted *w, struct err *err)
{
	const char *path = crate_name_index_path(a, slice_str(w->name));
	const char *file = arena_printf(a, EXPORT_INDEX "/%s", path);
	struct slice rest, line;
	struct buf left;

	if (export_index_read(a, p->root, p->export->dir, EXPORT_INDEX, path, &rest, err) == -1)
		return -1;
	buf_init(&left, a, rest.n + 1);
	while (rest.n > 0) {
		struct export_named named;

		if (export_index_next(a, &rest, &line, &named) && strcmp(named.name, w->name) == 0 &&
		    strcmp(named.version, w->version) == 0)
			continue;
		buf_put_slice(&left, line);
		buf_putc(&left, '\n');
	}
	return write_file(p->root, new_file, buf_slice(&left), err) == -1 ? -1 : move(p, new_file, file, err);
}

/* Replaces bytes that the index, which is still served, names: after its line has gone. */
static int
replace_version(const struct passage *p, struct arena *a, struct wanted *w, struct err *err)
{
	if (!w->is_due)
		return 0;
	FAULT_POINT("export", "due");
	if (withdraw(p, a, w, err) == -1)
		return -1;
	FAULT_POINT("export", "withdrawn");
	if (move(p, part_of(a, w), path_of(a, w), err) == -1)
		return -1;
	FAULT_POINT("export", "moved");
	return 0;
}

static int
each_wanted(const struct passage *p,
    int (*fn)(const struct passage *, struct arena *, struct wanted *, struct err *), struct err *err)
{
	struct arena *a = arena_new();
	int rc = 0;

	for (struct wanted *w = p->wanted; rc == 0 && w != NULL; w = w->next) {
		rc = fn(p, a, w, err);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

/* Remembers the version of a line.  old: the versions in the file of the old index. */
static int
remember(struct passage *p, struct arena *parse, const char *name, struct slice line,
    const struct export_names *old, struct err *err)
{
	static const char what[] = "a line of the index";
	struct wanted *w = arena_alloc(p->arena, sizeof(*w));
	const struct export_named *was;
	const char *version, *cksum;
	struct json_object *obj;

	if (json_parse(parse, line, what, &obj, err) == -1 ||
	    json_get_str(&(struct json_get) { obj, what, err }, "vers", true, &version) == -1 ||
	    json_get_str(&(struct json_get) { obj, what, err }, "cksum", true, &cksum) == -1)
		return -1;
	was = export_names_find(old, name, version);
	*w = (struct wanted) { .name = name, .version = arena_strdup(p->arena, version),
		.cksum = arena_strdup(p->arena, cksum), .was_other = was != NULL && strcmp(was->cksum, cksum) != 0 };
	*p->last = w;
	p->last = &w->next;
	p->export->versions++;
	return 0;
}

/* Writes the file of one crate into the new index. */
static int
export_index(struct passage *p, struct arena *a, const char *name, struct slice body, struct err *err)
{
	const char *place = crate_name_index_path(a, slice_str(name));
	const char *path = arena_printf(a, "%s/%s", new_index, place);
	const char *kept = arena_strdup(p->arena, name);
	struct export_names old = { .n = 0 };
	struct slice rest, served;

	if (gzip_expand(a, body, CRATE_INDEX_MAX, &rest, err) == -1 ||
	    make_parents(a, p->root, path, err) == -1 || write_file(p->root, path, rest, err) == -1 ||
	    export_index_read(a, p->root, p->export->dir, EXPORT_INDEX, place, &served, err) == -1)
		return -1;
	if (!slice_equal(served, rest))
		old = export_index_parse(a, served);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		if (remember(p, a, kept, slice_of(rest.p, n), &old, err) == -1)
			return -1;
		n += end != NULL;
		rest = slice_of(rest.p + n, rest.n - n);
	}
	p->export->crates++;
	return 0;
}

static int
take_index(void *arg, const char *name, struct slice body, struct err *err)
{
	struct arena *a = arena_new();
	int rc = export_index(arg, a, name, body, err);

	if (rc == -1)
		err_context(err, "crate %s", name);
	arena_free(a);
	return rc;
}

static int
export_indexes(struct passage *p, struct err *err)
{
	const struct export *e = p->export;

	return e->project_id != 0 ? inventory_indexes(e->db, p->arena, e->project_id, take_index, p, err)
	    : view_indexes(e->db, e->external_url, e->group_id, take_index, p, err);
}

static int
write_config(const struct export *export, struct arena *a, int root, struct err *err)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, CONFIG_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key_str(&o, "dl", arena_printf(a, "%s/crates/{crate}/{crate}-{version}.crate", export->url));
	json_out_close(&o, '}');
	return write_file(root, arena_printf(a, "%s/config.json", new_index), buf_slice(&b), err);
}

/*
 * Before anything is written.  Refuses an index that no export has made, since replacing it would remove its
 * files.
 */
static int
check_root(const struct export *export, int root, struct err *err)
{
	static const char *const names[] = { EXPORT_INDEX, "crates", new_index, EXPORT_REPLACED };
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (check_dir(export, root, names[i], err) == -1)
			return -1;
	}
	if (fstatat(root, "index", &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT)
		return 0;
	return fstatat(root, "index/config.json", &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 :
	    err_set(err, 400, "%s has an index without config.json, which no export has made: use another "
	        "directory", export->dir);
}

/* Makes the directory of the crates, without the file that a killed export has left there. */
static int
begin_crates(int root, struct err *err)
{
	if (make_dir(root, "crates", err) == -1)
		return -1;
	unlinkat(root, new_file, 0);
	return 0;
}

/*
 * Makes an empty index.new.  If an interrupted export has left one, that becomes a replaced index: it names
 * the crates that this export has copied.
 */
static int
begin_index(struct export *export, struct arena *a, int root, struct err *err)
{
	if (make_dir(root, new_index, err) == -1 ||
	    export_gone_remove(a, root, export->dir, new_index, &export->removed, err) == -1)
		return -1;
	if (renameat(root, new_index, root, EXPORT_REPLACED) == -1)
		return err_set(err, 400, "cannot rename %s/%s: %s", export->dir, new_index,
		    strerrordesc_np(errno));
	return make_dir(root, new_index, err);
}

/* Puts the new index in place of the old one, whose crates may then go. */
static int
replace_index(struct export *export, struct arena *a, int root, struct err *err)
{
	if (renameat(root, new_index, root, EXPORT_INDEX) == 0)
		return export_gone_remove(a, root, export->dir, NULL, &export->removed, err);
	if (errno != EEXIST && errno != ENOTEMPTY)
		return err_set(err, 400, "cannot rename %s/%s: %s", export->dir, new_index,
		    strerrordesc_np(errno));
	/* both at once: no client sees none */
	if (renameat2(root, new_index, root, EXPORT_INDEX, RENAME_EXCHANGE) == -1)
		return err_set(err, 400, "cannot exchange %s/%s and index: %s", export->dir, new_index,
		    strerrordesc_np(errno));
	if (export_gone_remove(a, root, export->dir, NULL, &export->removed, err) == -1)
		return -1;
	if (renameat(root, new_index, root, EXPORT_REPLACED) == -1)
		return err_set(err, 400, "cannot rename %s/%s: %s", export->dir, new_index,
		    strerrordesc_np(errno));
	return export_gone_remove(a, root, export->dir, NULL, &export->removed, err);
}

static int
export_into(struct export *export, struct arena *a, int root, struct err *err)
{
	struct passage p = { export, a, root, NULL, NULL };

	p.last = &p.wanted;
	if (check_root(export, root, err) == -1 || begin_crates(root, err) == -1 ||
	    begin_index(export, a, root, err) == -1 || write_config(export, a, root, err) == -1 ||
	    export_indexes(&p, err) == -1 || each_wanted(&p, export_version, err) == -1 ||
	    each_wanted(&p, replace_version, err) == -1)
		return -1;
	return replace_index(export, a, root, err);
}

int
export_run(struct export *export, struct arena *a, struct err *err)
{
	int root, rc, locked;

	if (export->dir[0] == '\0')
		return err_set(err, 400, "DIR is an empty string: name the directory of the export");
	if (mkdir(export->dir, 0777) == -1 && errno != EEXIST)
		return err_set(err, 400, "cannot make %s: %s", export->dir, strerrordesc_np(errno));
	root = open(export->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_set(err, 400, "cannot open the directory %s: %s", export->dir,
		    strerrordesc_np(errno));
	locked = disk_lock(root);
	if (locked == -1)
		rc = err_set(err, 400, "cannot lock %s: %s", export->dir, strerrordesc_np(errno));
	else if (locked == 0)
		rc = err_set(err, 409, "another export to %s runs; wait until it has ended", export->dir);
	else
		rc = export_into(export, a, root, err);
	close(root);
	return rc;
}
