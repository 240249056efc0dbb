#include "store/web/page_crate.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "crate/crate_name.h"
#include "crate/index_line.h"
#include "crate/semver.h"

/* The words of one line of an index, with a blank more for each. */
enum { WORDS_MAX = 2 * INDEX_LINE_MAX };

/* -1: 500: the database has only what it makes itself. */
static int
parse(struct arena *a, const char *json, struct json_object **out, size_t *n, struct err *err)
{
	struct err wrong = { 0 };

	*out = NULL;
	*n = 0;
	if (json == NULL)
		return 0;
	if (json_parse(a, slice_str(json), "page", out, &wrong) == -1)
		return err_internal(err, 500, "JSON of the database: %s", wrong.pub);
	if (json_object_is_type(*out, json_type_array))
		*n = json_object_array_length(*out);
	return 0;
}

static struct json_object *
member(struct json_object *object, const char *key)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(object, key, &found);
	return found;
}

/* NULL where it is none. */
static const char *
str(struct json_object *object, const char *key)
{
	struct json_object *found = member(object, key);

	return json_object_is_type(found, json_type_string) ? json_object_get_string(found) : NULL;
}

static bool
truth(struct json_object *object, const char *key)
{
	return json_object_get_boolean(member(object, key));
}

/* The strings of an array, with commas between; NULL: it has none. */
static const char *
joined(struct arena *a, struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	struct buf b;

	if (n == 0)
		return NULL;
	buf_init(&b, a, WORDS_MAX);
	for (size_t i = 0; i < n; i++) {
		buf_puts(&b, i > 0 ? ", " : "");
		buf_puts(&b, json_object_get_string(json_object_array_get_idx(list, i)));
	}
	return buf_str(&b);
}

static int
read_words(struct arena *a, const char *json, const char *const **out, size_t *n, struct err *err)
{
	struct json_object *list;
	const char **words;

	if (parse(a, json, &list, n, err) == -1)
		return -1;
	words = arena_calloc(a, *n, sizeof(*words));
	for (size_t i = 0; i < *n; i++)
		words[i] = json_object_get_string(json_object_array_get_idx(list, i));
	*out = words;
	return 0;
}

static const char *
artifact_words(struct arena *a, struct json_object *dependency)
{
	const char *kinds = joined(a, member(dependency, "artifact"));
	const char *target = str(dependency, "bindep_target");

	return kinds == NULL ? NULL
			     : arena_printf(a, "%s%s%s%s", kinds, target != NULL ? " for " : "",
				   target != NULL ? target : "",
				   truth(dependency, "lib") ? ", and as a library" : "");
}

static void
read_dependencies(struct arena *a, struct json_object *list, struct page_crate *out)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	out->ndependencies = n;
	n = n < PAGE_CRATE_DEPENDENCIES ? n : PAGE_CRATE_DEPENDENCIES;
	out->dependencies = arena_calloc(a, n, sizeof(*out->dependencies));
	for (size_t i = 0; i < n; i++) {
		struct json_object *d = json_object_array_get_idx(list, i);
		const char *package = str(d, "package");

		out->dependencies[i] = (struct page_crate_dependency) {
			.name = package != NULL ? package : str(d, "name"),
			.alias = package != NULL ? str(d, "name") : NULL,
			.req = str(d, "req"),
			.kind = str(d, "kind"),
			.target = str(d, "target"),
			.registry = str(d, "registry"),
			.features = joined(a, member(d, "features")),
			.artifact = artifact_words(a, d),
			.optional = truth(d, "optional"),
			.default_features = truth(d, "default_features"),
		};
	}
}

static void
add_features(struct arena *a, struct json_object *object, struct page_crate *out)
{
	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach(object, name, list) {
		if (out->nfeatures++ < PAGE_CRATE_FEATURES)
			out->features[out->nfeatures - 1] = (struct page_crate_feature) { name, joined(a, list) };
	}
}

/* The index line has dependencies and features as cargo sees them. */
static int
read_index_line(struct arena *a, const char *line, struct page_crate *out, struct err *err)
{
	struct json_object *object;
	size_t none;

	if (parse(a, line, &object, &none, err) == -1)
		return -1;
	read_dependencies(a, member(object, "deps"), out);
	out->features = arena_calloc(a, PAGE_CRATE_FEATURES, sizeof(*out->features));
	add_features(a, member(object, "features"), out);
	add_features(a, member(object, "features2"), out);
	return 0;
}

/* The string at index i of an array; NULL: it is no string. */
static const char *
item_str(struct json_object *list, size_t i)
{
	struct json_object *found = json_object_array_get_idx(list, i);

	return json_object_is_type(found, json_type_string) ? json_object_get_string(found) : NULL;
}

static int64_t
item_int(struct json_object *list, size_t i)
{
	return json_object_get_int64(json_object_array_get_idx(list, i));
}

static bool
item_bool(struct json_object *list, size_t i)
{
	return json_object_get_boolean(json_object_array_get_idx(list, i));
}

/* Each version is an array, in the order of the statement. */
static int
read_versions(struct arena *a, const char *json, struct page_crate *out, struct err *err)
{
	struct json_object *list;

	if (parse(a, json, &list, &out->nversions, err) == -1)
		return -1;
	out->versions = arena_calloc(a, out->nversions, sizeof(*out->versions));
	for (size_t i = 0; i < out->nversions; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		out->versions[i] = (struct page_crate_version) { item_str(v, 0), item_int(v, 1), item_int(v, 2),
			item_bool(v, 3), item_bool(v, 4), item_str(v, 5), item_str(v, 6), item_str(v, 7), item_str(v, 8),
			item_str(v, 9), item_str(v, 10), item_bool(v, 11) };
	}
	return 0;
}

static int
read_dependents(struct arena *a, int64_t project_id, const char *json, struct page_crate *out,
    struct err *err)
{
	struct json_object *list;

	if (parse(a, json, &list, &out->ndependents, err) == -1)
		return -1;
	out->dependents = arena_calloc(a, out->ndependents, sizeof(*out->dependents));
	for (size_t i = 0; i < out->ndependents; i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		out->dependents[i] = (struct page_crate_dependent) { item_str(d, 0), item_str(d, 1), item_str(d, 2),
			item_str(d, 3), item_int(d, 4) != project_id ? item_int(d, 4) : 0 };
	}
	return 0;
}

/* The index of a day in `days`; PAGE_CRATE_DAYS: it is too long ago. */
static size_t
day_of(int64_t ago)
{
	/* a node whose clock is ahead counts today */
	ago = ago < 0 ? 0 : ago;
	return ago < PAGE_CRATE_DAYS ? (size_t)(PAGE_CRATE_DAYS - 1 - ago) : PAGE_CRATE_DAYS;
}

/* Each is an array: which of the versions that were downloaded most, how many days ago, downloads. */
static int
read_bands(struct arena *a, const char *json, struct page_crate *out, struct err *err)
{
	struct json_object *list;
	size_t n;

	if (parse(a, json, &list, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_object *band = json_object_array_get_idx(list, i);
		size_t version = (size_t)item_int(band, 0) - 1, day = day_of(item_int(band, 1));

		if (version < PAGE_CRATE_BANDS && day < PAGE_CRATE_DAYS)
			out->bands[version][day] += item_int(band, 2);
	}
	return 0;
}

/* days: pairs of how many days ago and downloads; loads: pairs of version and downloads. */
static int
read_loads(struct arena *a, const char *days, const char *loads, struct page_crate *out, struct err *err)
{
	struct json_object *list;
	size_t n;

	if (parse(a, days, &list, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);
		size_t day = day_of(item_int(pair, 0));
		int64_t downloads = item_int(pair, 1);

		if (day < PAGE_CRATE_DAYS)
			out->days[day] += downloads;
		out->downloads += downloads;
	}
	if (parse(a, loads, &list, &out->nloads, err) == -1)
		return -1;
	out->loads = arena_calloc(a, out->nloads, sizeof(*out->loads));
	for (size_t i = 0; i < out->nloads; i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);

		out->loads[i] = (struct page_crate_load) { item_str(pair, 0), item_int(pair, 1) };
	}
	return 0;
}

static void
read_texts(const struct db_result *r, struct page_crate *out)
{
	enum { COLUMNS_PAGE_CRATE };

	out->name = db_str(r, 0, NAME);
	out->shown = (struct page_crate_version) { db_str(r, 0, VERSION), db_int(r, 0, PUBLISHED_AT),
		db_int(r, 0, SIZE), db_bool(r, 0, YANKED), db_bool(r, 0, DEPRECATED), db_str(r, 0, YANK_MESSAGE),
		db_str(r, 0, LICENSE), db_str(r, 0, LICENSE_FILE), db_str(r, 0, RUST_VERSION), db_str(r, 0, EDITION),
		db_str(r, 0, STATUS_MESSAGE), db_bool(r, 0, IS_UNTIMED) };
	out->description = db_str(r, 0, DESCRIPTION);
	out->homepage = db_str(r, 0, HOMEPAGE);
	out->documentation = db_str(r, 0, DOCUMENTATION);
	out->repository = db_str(r, 0, REPOSITORY);
	out->links = db_str(r, 0, LINKS);
	out->cksum = db_str(r, 0, CKSUM);
	out->has_lib = db_bool(r, 0, HAS_LIB);
	out->readme = db_str(r, 0, README);
	out->readme_file = db_str(r, 0, README_FILE);
	out->readme_images = db_bool(r, 0, README_IMAGES);
	out->mirror_url = db_str(r, 0, MIRROR_URL);
	out->total = db_int(r, 0, TOTAL);
	out->has_before = db_bool(r, 0, HAS_BEFORE);
	out->token_kind = db_str(r, 0, TOKEN_KIND);
	out->token_name = db_str(r, 0, TOKEN_NAME);
	out->issuer = db_str(r, 0, ISSUER);
	out->pipeline = db_int_or_0(r, 0, PIPELINE);
	out->job = db_int_or_0(r, 0, JOB);
	out->job_url = db_str(r, 0, JOB_URL);
	out->ref = db_str(r, 0, REF);
	out->commit = db_str(r, 0, COMMIT);
	out->publisher = db_str(r, 0, PUBLISHER);
	out->group_id = db_int_or_0(r, 0, GROUP_ID);
	out->group_path = db_str(r, 0, GROUP_PATH);
	out->group_serves = db_bool(r, 0, GROUP_SERVES);
}

static int
read_owners(struct arena *a, const char *json, struct page_crate *out, struct err *err)
{
	struct json_object *list;

	if (parse(a, json, &list, &out->nowners, err) == -1)
		return -1;
	out->owners = arena_calloc(a, out->nowners, sizeof(*out->owners));
	for (size_t i = 0; i < out->nowners; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		out->owners[i] = (struct page_crate_owner) { item_str(o, 0), item_str(o, 1), item_int(o, 2) };
	}
	return 0;
}

static int
read_events(struct arena *a, const char *json, struct page_crate *out, struct err *err)
{
	struct json_object *list;

	if (parse(a, json, &list, &out->nevents, err) == -1)
		return -1;
	out->events = arena_calloc(a, out->nevents, sizeof(*out->events));
	for (size_t i = 0; i < out->nevents; i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		out->events[i] = (struct page_crate_event) {
			.action = item_str(e, 0),
			.at = item_int(e, 1),
			.username = item_str(e, 2),
			.request_id = item_str(e, 3),
			.message = item_str(e, 4),
			.system_user = item_str(e, 5),
		};
	}
	return 0;
}

static int
read_all(struct arena *a, int64_t project_id, const struct db_result *r, struct page_crate *out,
    struct err *err)
{
	enum { COLUMNS_PAGE_CRATE };

	read_texts(r, out);
	if (read_words(a, db_str(r, 0, KEYWORDS), &out->keywords, &out->nkeywords, err) == -1 ||
	    read_words(a, db_str(r, 0, CATEGORIES), &out->categories, &out->ncategories, err) == -1 ||
	    read_words(a, db_str(r, 0, BINS), &out->bins, &out->nbins, err) == -1 ||
	    read_index_line(a, db_str(r, 0, INDEX_LINE), out, err) == -1 ||
	    read_versions(a, db_str(r, 0, VERSIONS), out, err) == -1 ||
	    read_dependents(a, project_id, db_str(r, 0, DEPENDENTS), out, err) == -1 ||
	    read_owners(a, db_str(r, 0, OWNERS), out, err) == -1 ||
	    read_events(a, db_str(r, 0, EVENTS), out, err) == -1 ||
	    read_bands(a, db_str(r, 0, BANDS), out, err) == -1)
		return -1;
	return read_loads(a, db_str(r, 0, DAYS), db_str(r, 0, BY_VERSION), out, err);
}

/* Without build metadata; NULL: the one that stands for the crate. */
static const char *
base_of(struct arena *a, struct slice version)
{
	const char *plus;

	if (version.n == 0)
		return NULL;
	plus = memchr(version.p, '+', version.n);
	return arena_strndup(a, version.p, plus != NULL ? (size_t)(plus - version.p) : version.n);
}

static void
crate_call(struct db_call *call, const struct page_crate_ask *ask, const char *name, const char *version)
{
	struct db_params *p = &call->params;

	call->stmt = STMT_PAGE_CRATE;
	db_bind_id(p, ask->user_id);
	db_bind_int(p, ask->project_id);
	db_bind_str(p, name);
	db_bind_str(p, version);
	db_bind_int(p, ask->range.limit);
	db_bind_int(p, ask->range.offset);
	db_bind_bool(p, ask->publishers);
	db_bind_str(p, ask->index);
	db_bind_bool(p, ask->owners && version == NULL);
	db_bind_int(p, ask->sorted_max);
}

size_t
page_crate_dependencies(const struct page_crate *c)
{
	return c->ndependencies < PAGE_CRATE_DEPENDENCIES ? c->ndependencies : PAGE_CRATE_DEPENDENCIES;
}

int
page_crate_read(struct db *db, struct arena *a, const struct page_crate_ask *ask, struct page_crate *out,
    struct err *err)
{
	struct db_call call = { 0 };
	struct err wrong = { 0 };

	*out = (struct page_crate) { 0 };
	if (crate_name_check(ask->name, "crate", &wrong) == -1)
		return err_set(err, 404, "Not Found");
	crate_call(&call, ask, crate_name_normalize(a, ask->name), base_of(a, ask->version));
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "Not Found");
	return read_all(a, ask->project_id, &call.result, out, err);
}

/* Row i of a pair. */
static int
read_one(struct arena *a, const struct db_result *r, int i, struct page_crate *out, struct err *err)
{
	enum { COLUMNS_PAGE_PAIR };

	out->name = db_str(r, i, NAME);
	out->cksum = db_str(r, i, CKSUM);
	out->shown = (struct page_crate_version) { db_str(r, i, VERSION), db_int(r, i, PUBLISHED_AT),
		db_int(r, i, SIZE), db_bool(r, i, YANKED), db_bool(r, i, DEPRECATED), db_str(r, i, YANK_MESSAGE),
		db_str(r, i, LICENSE), db_str(r, i, LICENSE_FILE), db_str(r, i, RUST_VERSION), db_str(r, i, EDITION),
		db_str(r, i, STATUS_MESSAGE), db_bool(r, i, IS_UNTIMED) };
	return read_index_line(a, db_str(r, i, INDEX_LINE), out, err);
}

static int
read_pair(struct arena *a, const struct db_result *r, const char *new_base, struct page_crate *old,
    struct page_crate *new, struct err *err)
{
	enum { COLUMNS_PAGE_PAIR };

	for (int i = 0; i < r->rows && !db_is_null(r, i, VERSION_BASE); i++) {
		bool is_new = strcmp(db_str(r, i, VERSION_BASE), new_base) == 0;

		if (read_one(a, r, i, is_new ? new : old, err) == -1)
			return -1;
	}
	return 0;
}

/* Is the text a version? */
static bool
is_version(struct slice text)
{
	struct err wrong = { 0 };
	struct semver version;

	return semver_parse(text, &version, &wrong) == 0;
}

/* The error for a crate without that version; one without a page might as well not exist.  -1: 404. */
static int
refuse_version(const struct db_result *r, struct slice version, struct page_crate *crate, struct err *err)
{
	enum { COLUMNS_PAGE_PAIR };
	const char *name = db_str(r, 0, NAME);

	crate->name = db_bool(r, 0, HAS_PAGE) ? name : NULL;
	if (crate->name == NULL)
		return err_set(err, 404, "Not Found");
	if (version.n == 0)
		return err_set(err, 404, "No version of %s is given", name);
	return err_set(err, 404, "%s has no version %.*s", name, (int)version.n, version.p);
}

int
page_crate_read_pair(struct db *db, struct arena *a, const struct page_crate_pair *pair,
    struct page_crate *old, struct page_crate *new, struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_PAIR };
	const char *before = base_of(a, pair->old), *after = base_of(a, pair->new);
	bool new_is = after != NULL && is_version(pair->new), old_is = before == NULL || is_version(pair->old);
	struct err wrong = { 0 };

	*old = *new = (struct page_crate) { 0 };
	if (crate_name_check(pair->name, "crate", &wrong) == -1)
		return err_set(err, 404, "Not Found");
	db_bind_int(&call.params, pair->project_id);
	db_bind_str(&call.params, crate_name_normalize(a, pair->name));
	db_bind_str(&call.params, old_is ? before : NULL);
	db_bind_str(&call.params, new_is ? after : NULL);
	if (db_run(db, a, &call, 1, err) == -1 ||
	    (new_is && read_pair(a, &call.result, after, old, new, err) == -1))
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "Not Found");
	if (new_is && before != NULL && strcmp(before, after) == 0)
		*old = *new;
	if (new->name == NULL)
		return refuse_version(&call.result, pair->new, new, err);
	if (!old_is || (before != NULL && old->name == NULL))
		return refuse_version(&call.result, pair->old, new, err);
	return 0;
}

int
page_crate_elsewhere(struct db *db, struct arena *a, int64_t project_id, struct slice name,
    int64_t *elsewhere_id, const char **found, struct err *err)
{
	enum { COLUMNS_PAGE_CRATE_ELSEWHERE };
	struct db_params p = { .n = 0 };
	struct db_result r;
	struct err wrong = { 0 };

	*elsewhere_id = 0;
	if (crate_name_check(name, "crate", &wrong) == -1)
		return 0;
	db_bind_int(&p, project_id);
	db_bind_str(&p, crate_name_normalize(a, name));
	if (db_exec(db, a, STMT_PAGE_CRATE_ELSEWHERE, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return 0;
	*elsewhere_id = db_int(&r, 0, PROJECT_ID);
	*found = db_str(&r, 0, NAME);
	return 0;
}
