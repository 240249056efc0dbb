#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

static void
tree_put(void *obj)
{
	json_object_put(obj);
}

static void
tokener_free(void *tok)
{
	json_tokener_free(tok);
}

int
json_parse(struct arena *a, struct slice text, const char *what, struct json_object **out,
    struct err *err)
{
	struct json_tokener *tok;

	if (json_check(a, text, what, err) == -1)
		return -1;
	assert(text.n <= INT_MAX);
	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	if (tok == NULL)
		return err_internal(err, 500, "json: out of memory");
	arena_defer(a, tokener_free, tok);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	*out = json_tokener_parse_ex(tok, text.p, (int)text.n);
	/* a bare number only ends where the text does */
	if (json_tokener_get_error(tok) == json_tokener_continue)
		*out = json_tokener_parse_ex(tok, "", 1);
	if (json_tokener_get_error(tok) != json_tokener_success)
		return err_set(err, 400, "%s: %s", what,
		    json_tokener_error_desc(json_tokener_get_error(tok)));
	arena_defer(a, tree_put, *out);
	return 0;
}

/* The member of the wanted type; NULL with 0 where it is absent or null. */
static int
member(const struct json_get *g, const char *key, bool required, enum json_type type,
    const char *type_name, struct json_object **out)
{
	*out = NULL;
	if (!json_object_object_get_ex(g->obj, key, out) || *out == NULL) {
		*out = NULL;
		if (required)
			return err_set(g->err, 400, "%s: missing field `%s`", g->what, key);
		return 0;
	}
	if (!json_object_is_type(*out, type))
		return err_set(g->err, 400, "%s: field `%s` must be %s", g->what, key, type_name);
	return 0;
}

int
json_get_str(const struct json_get *g, const char *key, bool required, const char **out)
{
	struct json_object *o;

	if (member(g, key, required, json_type_string, "a string", &o) == -1)
		return -1;
	if (o != NULL)
		*out = json_object_get_string(o);
	return 0;
}

int
json_get_bool(const struct json_get *g, const char *key, bool required, bool *out)
{
	struct json_object *o;

	if (member(g, key, required, json_type_boolean, "true or false", &o) == -1)
		return -1;
	if (o != NULL)
		*out = json_object_get_boolean(o);
	return 0;
}

int
json_get_int(const struct json_get *g, const char *key, bool required, int64_t *out)
{
	struct json_object *o;

	if (member(g, key, required, json_type_int, "an integer", &o) == -1)
		return -1;
	if (o == NULL)
		return 0;
	*out = json_object_get_int64(o);
	/* json-c keeps these as unsigned, and would give the greatest number for each of them */
	if (json_object_get_uint64(o) > INT64_MAX)
		return err_set(g->err, 400, "%s: field `%s` is out of range", g->what, key);
	return 0;
}

int
json_get_array(const struct json_get *g, const char *key, bool required, struct json_object **out)
{
	struct json_object *o;

	if (member(g, key, required, json_type_array, "an array", &o) == -1)
		return -1;
	if (o != NULL)
		*out = o;
	return 0;
}

int
json_get_object(const struct json_get *g, const char *key, bool required, struct json_object **out)
{
	struct json_object *o;

	if (member(g, key, required, json_type_object, "an object", &o) == -1)
		return -1;
	if (o != NULL)
		*out = o;
	return 0;
}
