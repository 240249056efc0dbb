#include "store/package/view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/gzip.h"
#include "base/scan.h"
#include "crate/crate_name.h"
#include "crate/index_deps.h"
#include "crate/registry_config.h"
#include "crate/registry_url.h"

enum { TEXT_MAX = 64 << 20 };

void
view_config_call(struct db_call *call, int64_t group_id)
{
	call->stmt = STMT_VIEW_CONFIG;
	db_bind_int(&call->params, group_id);
}

bool
view_config_read(const struct db_call *call)
{
	enum { COLUMNS_VIEW_CONFIG };

	return db_bool(&call->result, 0, IS_PUBLIC);
}

int
view_names(struct db *db, struct arena *a, const struct namespace_ref *group, const char *const *names,
    size_t n, struct view_name *out, struct err *err)
{
	enum { COLUMNS_VIEW_NAMES };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	namespace_ref_bind(&p, a, group);
	db_bind_array(&p, a, names, n);
	if (db_exec(db, a, STMT_VIEW_NAMES, &p, &r, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool has = i < (size_t)r.rows && !db_is_null(&r, (int)i, PROJECT_ID);

		out[i] = (struct view_name) { has ? db_int(&r, (int)i, PROJECT_ID) : 0,
			has ? db_str(&r, (int)i, CRATE) : NULL, has && db_bool(&r, (int)i, CONTESTED) };
	}
	return 0;
}

/* ---- index files ---- */

/* The text of an index file, the names of its dependencies, and the projects that have these names. */
struct mapping {
	struct arena *arena;
	struct slice text;
	int64_t project_id; /* of the file */
	/* the text before and after the id in the URL of a project's index, as JSON */
	const char *before, *after;
	const char **names; /* in normal form, sorted, each once */
	size_t n;
	struct view_name *owners; /* of the names */
	/* projects of the group that have lost a crate on which the file depends */
	int64_t *left;
	size_t nleft;
};

/* The project that a dependency is from; 0: it is from elsewhere. */
static int64_t
project_of(const struct mapping *m, struct slice registry)
{
	size_t before = strlen(m->before), after = strlen(m->after);
	int64_t id = 0;

	if (slice_is(registry, "null"))
		return m->project_id;
	if (!slice_has_prefix(registry, m->before) || registry.n <= before + after ||
	    memcmp(registry.p + registry.n - after, m->after, after) != 0)
		return 0;
	for (size_t i = before; i < registry.n - after; i++) {
		if (!scan_is_digit(registry.p[i]) || __builtin_mul_overflow(id, 10, &id) ||
		    __builtin_add_overflow(id, registry.p[i] - '0', &id))
			return 0;
	}
	return id;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Finds the names of all dependencies on projects of this server. */
static int
collect(struct mapping *m, struct err *err)
{
	struct index_deps deps = index_deps_of(m->text);
	struct index_dep dep;
	size_t room = 0, n = 0;
	int rc;

	while ((rc = index_deps_next(&deps, &dep, err)) == 1) {
		struct err wrong;

		if (project_of(m, dep.registry) == 0 || crate_name_check(dep.crate, "dependency", &wrong) == -1)
			continue;
		m->names = arena_grow(m->arena, m->names, m->n, &room, sizeof(*m->names));
		m->names[m->n++] = crate_name_normalize(m->arena, dep.crate);
	}
	if (rc == -1 || m->n == 0)
		return rc;
	qsort(m->names, m->n, sizeof(*m->names), compare);
	for (size_t i = 0; i < m->n; i++) {
		if (n == 0 || strcmp(m->names[n - 1], m->names[i]) != 0)
			m->names[n++] = m->names[i];
	}
	m->n = n;
	return 0;
}

/* The project that has the name of a dependency in the group.  NULL: it is no name. */
static const struct view_name *
owner_of(const struct mapping *m, const struct index_dep *dep)
{
	const char *name = crate_name_normalize(m->arena, dep->crate);
	const char **found = bsearch(&name, m->names, m->n, sizeof(*m->names), compare);

	return found == NULL ? NULL : &m->owners[found - m->names];
}

/* Is a dependency on this project one on a crate that another project of the group alone has? */
static bool
has_moved(const struct view_name *owner, const struct index_dep *dep, int64_t project)
{
	return owner != NULL && owner->project_id != 0 && owner->project_id != project && !owner->contested &&
	    slice_is(dep->crate, owner->crate);
}

static bool
is_left(const struct mapping *m, int64_t project)
{
	for (size_t i = 0; i < m->nleft; i++) {
		if (m->left[i] == project)
			return true;
	}
	return false;
}

/* Finds which projects of crates that may have moved are in the group; most files have none. */
static int
find_left(struct db *db, struct mapping *m, int64_t group_id, struct err *err)
{
	enum { COLUMNS_VIEW_BELOW };
	struct index_deps deps = index_deps_of(m->text);
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	struct index_dep dep;
	size_t room = 0;
	int rc;

	while ((rc = index_deps_next(&deps, &dep, err)) == 1) {
		int64_t project = project_of(m, dep.registry);

		if (project == 0 || !has_moved(owner_of(m, &dep), &dep, project) || is_left(m, project))
			continue;
		m->left = arena_grow(m->arena, m->left, m->nleft, &room, sizeof(*m->left));
		m->left[m->nleft++] = project;
	}
	if (rc == -1 || m->nleft == 0)
		return rc;
	db_bind_int(&p, group_id);
	db_bind_ids(&p, m->arena, m->left, m->nleft);
	if (db_exec(db, m->arena, STMT_VIEW_BELOW, &p, &r, err) == -1)
		return -1;
	m->nleft = (size_t)r.rows;
	for (size_t i = 0; i < m->nleft; i++)
		m->left[i] = db_int(&r, (int)i, ID);
	return 0;
}

/* The registry in the group's file that replaces this one; the same if it does not change. */
static struct slice
mapped(const struct mapping *m, const struct index_dep *dep)
{
	int64_t project = project_of(m, dep->registry);
	const struct view_name *owner;

	if (project == 0)
		return dep->registry;
	owner = owner_of(m, dep);
	if (owner != NULL && owner->project_id == project)
		return slice_str("null");
	if (has_moved(owner, dep, project) && is_left(m, project))
		return slice_str("null");
	return slice_str(arena_printf(m->arena, "%s%" PRId64 "%s", m->before, project, m->after));
}

/* Writes the group's text.  *changed: it differs from the project's. */
static int
rewrite(const struct mapping *m, struct buf *out, bool *changed, struct err *err)
{
	struct index_deps deps = index_deps_of(m->text);
	const char *from = m->text.p;
	struct index_dep dep;
	int rc;

	*changed = false;
	while ((rc = index_deps_next(&deps, &dep, err)) == 1) {
		struct slice registry = mapped(m, &dep);

		if (slice_equal(registry, dep.registry))
			continue;
		*changed = true;
		buf_put(out, from, (size_t)(dep.registry.p - from));
		buf_put_slice(out, registry);
		from = dep.registry.p + dep.registry.n;
	}
	buf_put(out, from, (size_t)(m->text.p + m->text.n - from));
	return rc;
}

static int
compress(struct arena *a, struct slice text, struct view_file *file, struct err *err)
{
	struct gzip_writer *w = gzip_writer_new(a, err);

	if (w == NULL || gzip_writer_add(w, text, err) == -1 || gzip_writer_end(w, &file->body, err) == -1)
		return -1;
	file->time = registry_config_time(file->body);
	return 0;
}

static int64_t
basis_of(const struct view_name *owner)
{
	return owner->contested ? -owner->project_id : owner->project_id;
}

/* Finds the projects that have the names. */
static int
read_basis(struct db *db, struct mapping *m, int64_t group_id, struct view_basis *basis, struct err *err)
{
	const struct namespace_ref group = { .id = group_id };
	int64_t *projects = arena_calloc(m->arena, m->n, sizeof(*projects));

	m->owners = arena_calloc(m->arena, m->n, sizeof(*m->owners));
	if (view_names(db, m->arena, &group, m->names, m->n, m->owners, err) == -1)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		projects[i] = basis_of(&m->owners[i]);
	*basis = (struct view_basis) { m->names, projects, m->n };
	return 0;
}

int
view_basis_check(struct db *db, struct arena *a, int64_t group_id, const struct view_basis *basis,
    bool *holds, struct err *err)
{
	const struct namespace_ref group = { .id = group_id };
	struct view_name *owners = arena_calloc(a, basis->n, sizeof(*owners));

	*holds = true;
	if (basis->n == 0)
		return 0;
	if (view_names(db, a, &group, basis->names, basis->n, owners, err) == -1)
		return -1;
	for (size_t i = 0; i < basis->n; i++)
		*holds = *holds && basis_of(&owners[i]) == basis->projects[i];
	return 0;
}

int
view_file_of(struct db *db, struct arena *a, const char *external_url, int64_t group_id, int64_t project_id,
    struct view_file *file, struct view_basis *basis, struct err *err)
{
	struct mapping m = { .arena = a, .project_id = project_id,
		.before = arena_printf(a, "\"sparse+%s/api/v4/projects/", external_url),
		.after = "/packages/cargo/\"" };
	struct buf out;
	bool changed;

	*basis = (struct view_basis) { .n = 0 };
	if (gzip_expand(a, file->body, TEXT_MAX, &m.text, err) == -1 || collect(&m, err) == -1)
		return -1;
	if (m.n == 0)
		return 0;
	if (read_basis(db, &m, group_id, basis, err) == -1 || find_left(db, &m, group_id, err) == -1)
		return -1;
	/* a URL is longer than `null` */
	buf_init(&out, a, 8 * (size_t)TEXT_MAX);
	if (rewrite(&m, &out, &changed, err) == -1)
		return -1;
	if (buf_full(&out))
		return err_internal(err, 500, "the index file is too long for the registry of a group");
	return changed ? compress(a, buf_slice(&out), file, err) : 0;
}

/* What one transaction needs to read all index files of a group. */
struct reading {
	const char *external_url;
	int64_t group_id;
	inventory_index_fn *take;
	void *arg;
};

static int
read_one(struct db *db, struct arena *a, const struct reading *reading, const char *name,
    const char *normalized, struct err *err)
{
	enum { COLUMNS_VIEW_INDEX };
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	struct view_basis basis;
	struct view_file file;

	db_bind_int(&p, reading->group_id);
	db_bind_str(&p, normalized);
	db_bind_str(&p, crate_name_lower(a, slice_str(name)));
	db_bind_int(&p, INT64_MAX);
	if (db_exec(db, a, STMT_VIEW_INDEX, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_internal(err, 500, "crate %s has no index file", name);
	file = (struct view_file) { db_slice(&r, 0, INDEX_BODY), db_int(&r, 0, INDEX_TIME) };
	if (view_file_of(db, a, reading->external_url, reading->group_id, db_int(&r, 0, PROJECT_ID), &file,
	        &basis, err) == -1)
		return err_context(err, "crate %s", name);
	return reading->take(reading->arg, name, file.body, err);
}

static int
read_all(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_VIEW_CRATES };
	const struct reading *reading = arg;
	struct arena *all = arena_new(), *one = arena_new();
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	int rc;

	db_bind_int(&p, reading->group_id);
	/* all statements of this transaction see the same state */
	rc = db_exec(db, all, STMT_BACKUP_BEGIN, NULL, NULL, err) == -1 ||
	    db_exec(db, all, STMT_VIEW_CRATES, &p, &r, err) == -1 ? -1 : 0;
	for (int i = 0; rc == 0 && i < r.rows; i++) {
		rc = read_one(db, one, reading, db_str(&r, i, NAME), db_str(&r, i, NORMALIZED_NAME), err);
		arena_reset(one);
	}
	arena_free(one);
	arena_free(all);
	return rc;
}

int
view_indexes(struct db *db, const char *external_url, int64_t group_id, inventory_index_fn *take, void *arg,
    struct err *err)
{
	struct reading reading = { external_url, group_id, take, arg };
	bool unknown = false;

	return db_transaction(db, read_all, &reading, &unknown, err);
}

/* ---- reports ---- */

int
view_shadows(struct db *db, struct arena *a, const char *full_path, struct view_shadow **out, size_t *n,
    struct err *err)
{
	enum { COLUMNS_VIEW_SHADOWED };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, full_path);
	if (db_exec(db, a, STMT_VIEW_SHADOWED, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct view_shadow) { db_str(&r, i, CRATE), db_str(&r, i, FULL_PATH),
			db_str(&r, i, SERVED) };
	return 0;
}
