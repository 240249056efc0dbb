#include "call/params.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/utf8.h"

enum { PIECE = 4096, NAME_MAX_SIZE = 64, INT_DIGITS = 18 };

static int
body_read(struct request *rq, struct slice *out)
{
	struct buf b;
	char piece[PIECE];
	size_t got;

	buf_init(&b, rq->arena, PARAMS_BODY_MAX);
	do {
		if (request_body_read(rq, piece, sizeof(piece), &got) == -1)
			return -1;
		buf_put(&b, piece, got);
	} while (got > 0 && !buf_full(&b));
	if (buf_full(&b))
		return err_set(&rq->err, 413, "the request body is longer than %d bytes",
		    PARAMS_BODY_MAX);
	*out = buf_slice(&b);
	return 0;
}

/* A media type without its parameters: `application/json; charset=utf-8`. */
static bool
is_media_type(const char *header, const char *type)
{
	size_t n = strlen(type);

	return strncasecmp(header, type, n) == 0 && strchr("; \t", header[n]) != NULL;
}

int
params_read(struct request *rq, struct params *p)
{
	const char *type = request_header(rq, "CONTENT_TYPE");
	struct slice body = slice_str("");

	*p = (struct params) { .rq = rq, .form = slice_str("") };
	if (body_read(rq, &body) == -1)
		return -1;
	if (body.n == 0)
		return 0;
	if (type != NULL && is_media_type(type, "application/x-www-form-urlencoded")) {
		p->form = body;
		return 0;
	}
	if (type != NULL && !is_media_type(type, "application/json"))
		return err_set(&rq->err, 415,
		    "send parameters as application/json or application/x-www-form-urlencoded");
	if (json_parse(rq->arena, body, "the request body", &p->json, &rq->err) == -1)
		return -1;
	if (!json_object_is_type(p->json, json_type_object))
		return err_set(&rq->err, 400, "the request body must be a JSON object");
	return 0;
}

static int
wrong(struct params *p, const char *name, const char *why)
{
	return err_set(&p->rq->err, 400, "%s %s", name, why);
}

static int
check_text(struct params *p, const char *name, const char *text, const char **out)
{
	if (strnlen(text, PARAMS_TEXT_MAX + 1) > PARAMS_TEXT_MAX)
		return wrong(p, name, "is too long");
	*out = text;
	return 0;
}

/* A value of JSON as text; *out stays NULL for null. */
static int
json_text(struct params *p, const char *name, struct json_object *value, const char **out)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return 0;
	case json_type_string:
	case json_type_boolean:
	case json_type_int:
		/* of a number, too: json_object_get_int64() gives one number for all that are too great */
		return check_text(p, name, json_object_get_string(value), out);
	case json_type_double:
	case json_type_object:
	case json_type_array:
		break;
	}
	return wrong(p, name, "is invalid");
}

/*
 * The value of that name after `skip` others of it, from the first place that has the name: the JSON, the
 * form, the query.  NULL: there is none.
 */
static int
find(struct params *p, const char *name, size_t skip, const char **out)
{
	struct json_object *value;

	*out = NULL;
	if (p->json != NULL && json_object_object_get_ex(p->json, name, &value))
		return skip == 0 ? json_text(p, name, value, out) : 0;
	if (request_form(p->rq, p->form, name, 0, out) == -1 ||
	    request_form(p->rq, *out != NULL ? p->form : p->rq->query, name, skip, out) == -1)
		return -1;
	return *out == NULL ? 0 : check_text(p, name, *out, out);
}

int
params_str(struct params *p, const char *name, const char **out)
{
	const char *text;

	if (find(p, name, 0, &text) == -1)
		return -1;
	if (text != NULL)
		*out = text;
	return 0;
}

int
params_required(struct params *p, const char *name, const char **out)
{
	const char *text;

	if (find(p, name, 0, &text) == -1)
		return -1;
	if (text == NULL || text[0] == '\0')
		return wrong(p, name, "is missing");
	*out = text;
	return 0;
}

int
params_secret(struct params *p, const char *name, const char **out)
{
	const char *text = NULL;

	if (request_form(p->rq, p->rq->query, name, 0, &text) == -1)
		return -1;
	if (text != NULL)
		return wrong(p, name, "belongs in the request body, because URLs end up in logs");
	return params_str(p, name, out);
}

/* Digits, perhaps after a minus; so few that no number overflows. */
static bool
parse_int(const char *s, int64_t *out)
{
	bool minus = *s == '-';
	size_t n = strspn(s + minus, "0123456789");
	int64_t value = 0;

	s += minus;
	if (n == 0 || n > INT_DIGITS || s[n] != '\0')
		return false;
	for (; *s != '\0'; s++)
		value = value * 10 + (*s - '0');
	*out = minus ? -value : value;
	return true;
}

int
params_int(struct params *p, const char *name, int64_t min, int64_t max, int64_t *out)
{
	const char *text;
	int64_t value;

	if (find(p, name, 0, &text) == -1)
		return -1;
	if (text == NULL)
		return 0;
	if (!parse_int(text, &value) || value < min || value > max)
		return err_set(&p->rq->err, 400,
		    "%s must be a number from %" PRId64 " to %" PRId64, name, min, max);
	*out = value;
	return 0;
}

int
params_word(struct params *p, const char *name, const char *const *words, size_t n, size_t *out)
{
	const char *text;

	if (find(p, name, 0, &text) == -1)
		return -1;
	if (text == NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return 0;
		}
	}
	return wrong(p, name, "does not have a valid value");
}

int
params_bool(struct params *p, const char *name, bool *out)
{
	static const char *const words[] = { "false", "true", "0", "1", "False", "True" };
	size_t i = *out;

	if (params_word(p, name, words, sizeof(words) / sizeof(*words), &i) == -1)
		return -1;
	*out = i % 2 == 1;
	return 0;
}

int
params_bool_given(struct params *p, const char *name, bool *value, const bool **out)
{
	const char *text = NULL;

	if (params_str(p, name, &text) == -1 || params_bool(p, name, value) == -1)
		return -1;
	if (text != NULL)
		*out = value;
	return 0;
}

struct list {
	const char **items;
	size_t n;
};

static int
list_add(struct params *p, const char *name, struct list *l, const char *text)
{
	if (l->n == PARAMS_LIST_MAX)
		return err_set(&p->rq->err, 400, "%s has more than %d entries", name,
		    PARAMS_LIST_MAX);
	l->items[l->n++] = text;
	return 0;
}

static int
list_of_json(struct params *p, const char *name, struct json_object *array, struct list *l)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *text = NULL;

		if (json_text(p, name, json_object_array_get_idx(array, i), &text) == -1)
			return -1;
		if (text == NULL)
			return wrong(p, name, "is invalid");
		if (list_add(p, name, l, text) == -1)
			return -1;
	}
	return 0;
}

/* One text with commas between; the empty one is no entry. */
static int
list_of_text(struct params *p, const char *name, const char *text, struct list *l)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (list_add(p, name, l, arena_strndup(p->rq->arena, text, n)) == -1)
			return -1;
		text += n + (text[n] == ',');
	}
	return 0;
}

/* `name[]`, each time that it is there. */
static int
list_of_form(struct params *p, const char *name, struct list *l)
{
	char key[NAME_MAX_SIZE];
	const char *text;

	snprintf(key, sizeof(key), "%s[]", name);
	for (;;) {
		if (find(p, key, l->n, &text) == -1)
			return -1;
		if (text == NULL)
			return 0;
		if (list_add(p, name, l, text) == -1)
			return -1;
	}
}

int
params_list(struct params *p, const char *name, const char *const **out, size_t *n)
{
	struct list l = { .items = arena_alloc(p->rq->arena,
			      PARAMS_LIST_MAX * sizeof(*l.items)) };
	struct json_object *value = NULL;
	const char *text = NULL;

	if (p->json != NULL && json_object_object_get_ex(p->json, name, &value) &&
	    json_object_is_type(value, json_type_array)) {
		if (list_of_json(p, name, value, &l) == -1)
			return -1;
	} else {
		if (list_of_form(p, name, &l) == -1)
			return -1;
		if (l.n == 0 && find(p, name, 0, &text) == -1)
			return -1;
		if (l.n == 0 && text == NULL)
			return 0;
		if (text != NULL && list_of_text(p, name, text, &l) == -1)
			return -1;
	}
	*out = l.items;
	*n = l.n;
	return 0;
}

int
params_words(struct params *p, const char *name, const char **out)
{
	const char *const *items = NULL;
	const char *words = NULL;
	size_t n = 0;

	if (params_list(p, name, &items, &n) == -1)
		return -1;
	if (items == NULL)
		return 0;
	if (n == 0)
		return wrong(p, name, "is empty; give at least one value");
	for (size_t i = 0; i < n; i++) {
		if (items[i][0] == '\0')
			return wrong(p, name, "must not have an empty entry");
		words = i == 0 ? items[i] : arena_printf(p->rq->arena, "%s,%s", words, items[i]);
	}
	*out = words;
	return 0;
}

int
params_date(struct params *p, const char *name, int64_t *out)
{
	const char *text = NULL;

	if (params_str(p, name, &text) == -1)
		return -1;
	return text == NULL || text[0] == '\0' ? 0 : date_parse(text, out, &p->rq->err);
}

int
params_date_end(struct params *p, const char *name, int64_t *out)
{
	const char *text = NULL;

	if (params_str(p, name, &text) == -1)
		return -1;
	return text == NULL || text[0] == '\0' ? 0 : date_parse_end(text, time(NULL), out, &p->rq->err);
}

int
params_refuse(struct params *p, const char *name)
{
	return params_gives(p, name) ? wrong(p, name, "cannot be set here; leave it out") : 0;
}

bool
params_has(struct params *p, const char *name)
{
	struct json_object *value;

	return (p->json != NULL && json_object_object_get_ex(p->json, name, &value)) || params_gives(p, name);
}

bool
params_gives(struct params *p, const char *name)
{
	const char *text;
	struct err saved = p->rq->err;
	/* a value that cannot be read is there all the same */
	bool gives = find(p, name, 0, &text) == -1 || text != NULL;

	p->rq->err = saved;
	return gives;
}

int
params_ids(struct params *p, const char *name, const int64_t **out, size_t *n)
{
	const char *const *words = NULL;
	int64_t *ids;

	*n = 0;
	if (params_list(p, name, &words, n) == -1)
		return -1;
	ids = arena_calloc(p->rq->arena, *n, sizeof(*ids));
	for (size_t i = 0; words != NULL && i < *n; i++) {
		if (strlen(words[i]) > INT_DIGITS || !parse_int(words[i], &ids[i]))
			return err_set(&p->rq->err, 400, "%s is invalid", name);
	}
	*out = ids;
	return 0;
}

int
params_path_id(struct request *rq, const char *name, int64_t *out)
{
	struct slice id = request_param(rq, name);

	/* as in a body or a query, but without a sign */
	if (id.n > INT_DIGITS || !parse_int(arena_slicedup(rq->arena, id), out) || *out < 0 ||
	    id.p[0] == '-')
		return err_set(&rq->err, 400, "%s is invalid", name);
	return 0;
}
