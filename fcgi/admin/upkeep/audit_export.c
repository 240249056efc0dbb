#include "admin/upkeep/audit_export.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"

/* The times of the export and of the database are rounded. */
enum { SAME_S = 1 };

static void
add_event(struct arena *a, struct exported_events *events, struct exported_event event)
{
	events->v = arena_grow(a, events->v, events->n, &events->room, sizeof(*events->v));
	event.number = events->n;
	events->v[events->n++] = event;
}

static int
compare_events(const void *a, const void *b)
{
	const struct exported_event *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

struct ended_id *
audit_export_ended(struct arena *a, const struct exported_events *events, size_t *n)
{
	struct ended_id *ended = arena_calloc(a, events->n + 1, sizeof(*ended));
	int64_t made = 0;
	size_t first = 0;

	*n = 0;
	if (events->n > 0)
		qsort(events->v, events->n, sizeof(*events->v), compare_events);
	for (size_t i = 0; i < events->n; i++) {
		const struct exported_event *e = &events->v[i];

		if (i == 0 || e->id != events->v[i - 1].id) {
			made = 0;
			first = *n;
		}
		if (e->what == EXPORTED_MADE)
			made = e->at;
		else if (e->what == EXPORTED_ENDS)
			ended[(*n)++] = (struct ended_id) { e->id, made, e->at };
		else
			*n = first;
	}
	return ended;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct ended_id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

bool
audit_export_has_ended(const struct ended_id *v, size_t n, int64_t id, int64_t made)
{
	const struct ended_id key = { .id = id };
	const struct ended_id *found = n == 0 ? NULL : bsearch(&key, v, n, sizeof(*v), compare_ids);

	if (found == NULL)
		return false;
	while (found > v && found[-1].id == id)
		found--;
	for (; found < v + n && found->id == id; found++) {
		if (made <= found->ended + SAME_S &&
		    (found->made == 0 || (made >= found->made - SAME_S && made <= found->made + SAME_S)))
			return true;
	}
	return false;
}

/* What each action means for a token or user, and which member of `detail` has the id. */
static const struct {
	const char *action, *member;
	bool user;
	enum exported_what what;
} actions[] = {
	{ "token.create", "token_id", false, EXPORTED_MADE },
	{ "token.revoke", "token_id", false, EXPORTED_ENDS },
	{ "token.rotate", "token_id", false, EXPORTED_MADE },
	{ "token.rotate", "in_place_of", false, EXPORTED_ENDS },
	{ "token.reuse", "token_id", false, EXPORTED_ENDS },
	{ "user.create", "user_id", true, EXPORTED_MADE },
	{ "user.block", "user_id", true, EXPORTED_ENDS },
	{ "user.unblock", "user_id", true, EXPORTED_COMES_BACK },
};

int
audit_export_time(struct arena *a, const char *text, int64_t *at, struct err *err)
{
	size_t n = strcspn(text, ".");
	const char *zone = text + n + strspn(text + n, ".0123456789");

	return date_parse(arena_printf(a, "%.*s%s", (int)n, text, zone), at, err);
}

int
audit_export_take(struct audit_export *export, struct arena *a, struct arena *piece, struct slice line,
    const char *what, struct err *err)
{
	struct json_object *object, *detail = NULL;
	struct json_get in = { .what = what, .err = err };
	struct exported_event event = { .id = 0 };
	const char *action, *at;

	if (json_parse(piece, line, what, &object, err) == -1)
		return -1;
	in.obj = object;
	if (json_get_str(&in, "action", true, &action) == -1 || json_get_str(&in, "at", true, &at) == -1 ||
	    audit_export_time(piece, at, &event.at, err) == -1 ||
	    json_get_object(&in, "detail", true, &detail) == -1)
		return -1;
	in.obj = detail;
	if (event.at < export->first_at)
		export->first_at = event.at;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(action, actions[i].action) != 0)
			continue;
		if (json_get_int(&in, actions[i].member, true, &event.id) == -1)
			return -1;
		event.what = actions[i].what;
		add_event(a, actions[i].user ? &export->users : &export->tokens, event);
	}
	return 0;
}
