#include "crate/index_line.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/json.h"
#include "crate/package_json.h"

/* A feature that names another one in its values: an edge back from the other to it. */
struct edge {
	size_t from;
	struct edge *next;
};

/* Cargo before 1.19 chokes on such a value, and on a feature it does not know. */
static bool
is_new_syntax(const char *value)
{
	return strncmp(value, "dep:", 4) == 0 || strstr(value, "?/") != NULL;
}

/* The number of the feature of that name, nfeatures where there is none. */
static size_t
find_feature(const struct package *pkg, const char *name)
{
	size_t low = 0, high = pkg->nfeatures;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, pkg->features[middle].name);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return pkg->nfeatures;
}

/* The edges that lead to each feature. */
static struct edge **
make_edges(struct arena *a, const struct package *pkg)
{
	struct edge **into = arena_calloc(a, pkg->nfeatures, sizeof(struct edge *));

	for (size_t i = 0; i < pkg->nfeatures; i++) {
		const struct strings *values = &pkg->features[i].values;
		struct edge *edges = arena_calloc(a, values->n, sizeof(*edges));

		for (size_t k = 0; k < values->n; k++) {
			size_t to = find_feature(pkg, values->v[k]);

			if (to == pkg->nfeatures)
				continue;
			edges[k] = (struct edge){ .from = i, .next = into[to] };
			into[to] = &edges[k];
		}
	}
	return into;
}

/*
 * Marks the features that go to features2: those that use the new syntax, and
 * from them along the edges those that refer to a marked one.  Each feature and
 * each edge is looked at once, whatever a client makes of them.  Returns how many.
 */
static size_t
mark_features2(struct arena *a, const struct package *pkg, bool *marked)
{
	struct edge **into = make_edges(a, pkg);
	size_t *found = arena_calloc(a, pkg->nfeatures, sizeof(*found));
	size_t nfound = 0;

	for (size_t i = 0; i < pkg->nfeatures; i++) {
		const struct strings *values = &pkg->features[i].values;

		for (size_t k = 0; k < values->n && !marked[i]; k++)
			marked[i] = is_new_syntax(values->v[k]);
		if (marked[i])
			found[nfound++] = i;
	}
	for (size_t done = 0; done < nfound; done++) {
		for (const struct edge *e = into[found[done]]; e != NULL; e = e->next) {
			if (marked[e->from])
				continue;
			marked[e->from] = true;
			found[nfound++] = e->from;
		}
	}
	return nfound;
}

static void
put_dependency(struct json_out *o, const struct dependency *d)
{
	json_out_open(o, '{');
	json_out_key_str(o, "name", d->alias != NULL ? d->alias : d->name);
	json_out_key_str(o, "req", d->req);
	package_json_write_strings(o, "features", &d->features);
	json_out_key_bool(o, "optional", d->optional);
	json_out_key_bool(o, "default_features", d->default_features);
	json_out_key_str(o, "target", d->target);
	json_out_key_str(o, "kind", dep_kind_names[d->kind]);
	json_out_key_str(o, "registry", d->registry);
	/* also where the alias equals the name: it then overrides the name of the library */
	if (d->alias != NULL)
		json_out_key_str(o, "package", d->name);
	package_json_write_artifact(o, &d->artifact);
	json_out_close(o, '}');
}

static void
put_dependencies(struct json_out *o, const struct package *pkg)
{
	json_out_key(o, "deps");
	json_out_open(o, '[');
	for (size_t i = 0; i < pkg->ndeps; i++)
		put_dependency(o, &pkg->deps[i]);
	json_out_close(o, ']');
}

/* The features that are marked, or those that are not. */
static void
put_features(
    struct json_out *o, const char *key, const struct package *pkg, const bool *marked, bool which)
{
	json_out_key(o, key);
	json_out_open(o, '{');
	for (size_t i = 0; i < pkg->nfeatures; i++) {
		if (marked[i] == which)
			package_json_write_strings(o, pkg->features[i].name, &pkg->features[i].values);
	}
	json_out_close(o, '}');
}

/* The lowest `v` that says everything.  A cargo that does not know it skips the version. */
static int
line_version(const struct package *pkg, size_t nmarked)
{
	for (size_t i = 0; i < pkg->ndeps; i++) {
		if (pkg->deps[i].artifact.kinds.n > 0)
			return 3;
	}
	return nmarked > 0 ? 2 : 1;
}

int
index_line_encode(struct buf *b, const struct package *pkg, const char *cksum, time_t published_at,
    size_t max, struct err *err)
{
	bool *marked = arena_calloc(b->arena, pkg->nfeatures, sizeof(*marked));
	size_t before = b->n, nmarked = mark_features2(b->arena, pkg, marked);
	char pubtime[CLOCK_RFC3339_SIZE];
	int version = line_version(pkg, nmarked);
	struct json_out o;

	clock_rfc3339(published_at, pubtime);
	json_out_init(&o, b);
	json_out_open(&o, '{');
	json_out_key_str(&o, "name", pkg->name);
	json_out_key_str(&o, "vers", pkg->version);
	put_dependencies(&o, pkg);
	json_out_key_str(&o, "cksum", cksum);
	put_features(&o, "features", pkg, marked, false);
	if (nmarked > 0)
		put_features(&o, "features2", pkg, marked, true);
	json_out_key_bool(&o, "yanked", false);
	if (pkg->links != NULL)
		json_out_key_str(&o, "links", pkg->links);
	if (pkg->rust_version != NULL)
		json_out_key_str(&o, "rust_version", pkg->rust_version);
	if (pkg->nbuiltins > 0)
		package_json_write_builtins(&o, pkg);
	json_out_key_str(&o, "pubtime", pubtime);
	if (version > 1)
		json_out_key_int(&o, "v", version);
	json_out_close(&o, '}');
	if (!buf_full(b) && b->n - before <= max)
		return 0;
	return err_set(err, 400,
	    "the index line of this version would have %s%zu bytes, and the limit is %zu; use fewer or "
	    "shorter dependencies and features, or ask an administrator to raise max_index_line_size",
	    buf_full(b) ? "more than " : "", b->n - before, max);
}

/* The byte after the string that begins before `at`, or line.n where it does not end. */
static size_t
skip_string(struct slice line, size_t at)
{
	while (at < line.n && line.p[at] != '"')
		at += line.p[at] == '\\' ? 2 : 1;
	return at < line.n ? at + 1 : line.n;
}

/*
 * The value of the top-level "yanked", empty where the line is not one object that
 * has it.  Strings are stepped over, so that neither a crate of that name nor a
 * feature can be mistaken for it.
 */
static struct slice
find_yanked(struct slice line)
{
	static const char key[] = "\"yanked\":";
	struct slice found = slice_str("");
	size_t depth = 1, i = 1;

	if (!slice_has_prefix(line, "{"))
		return found;
	while (i < line.n && depth > 0) {
		struct slice rest = slice_of(line.p + i, line.n - i);

		if (depth == 1 && found.n == 0 && slice_has_prefix(rest, key)) {
			i += sizeof(key) - 1;
			found = slice_of(line.p + i, 0);
			while (i < line.n && line.p[i] >= 'a' && line.p[i] <= 'z')
				i++;
			found.n = (size_t)(line.p + i - found.p);
		} else if (line.p[i] == '"') {
			i = skip_string(line, i + 1);
		} else {
			depth += line.p[i] == '{' || line.p[i] == '[';
			depth -= line.p[i] == '}' || line.p[i] == ']';
			i++;
		}
	}
	return depth == 0 && i == line.n ? found : slice_str("");
}

int
index_line_set_yanked(
    struct arena *a, struct slice line, bool yanked, struct slice *out, struct err *err)
{
	struct slice value = find_yanked(line);
	const char *after = value.p + value.n;
	struct buf b;

	if (!slice_is(value, "true") && !slice_is(value, "false"))
		return err_internal(err, 500, "an index line lacks `yanked`");
	buf_init(&b, a, line.n + strlen("false"));
	buf_put(&b, line.p, (size_t)(value.p - line.p));
	buf_puts(&b, yanked ? "true" : "false");
	buf_put(&b, after, (size_t)(line.p + line.n - after));
	*out = buf_slice(&b);
	return 0;
}
