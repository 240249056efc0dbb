#include "admin/pins.h"

#include <string.h>

#include "admin/output.h"

enum { NKEYS = 5 };

static int
next_pins(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	struct invocation *in = arg;
	struct gitlab_pin *pins;

	if (gitlab_pin_list_next(in->db, page, &pins, n, &in->err) == -1)
		return -1;
	*cells = arena_calloc(page, *n, NKEYS * sizeof(**cells));
	for (size_t i = 0; i < *n; i++) {
		const struct cell row[NKEYS] = { cell_str(pins[i].name), cell_str(pins[i].gitlab),
			cell_int(pins[i].gitlab_id), cell_str(pins[i].gitlab_name),
			cell_time(pins[i].created_at) };

		memcpy(&(*cells)[i * NKEYS], row, sizeof(row));
	}
	return 0;
}

int
pins_list(struct invocation *in, enum gitlab_pin_kind kind)
{
	const char *const keys[NKEYS] = { kind == GITLAB_PIN_USER ? "username" : "project", "gitlab",
		"gitlab_id", "gitlab_name", "created_at" };
	const struct output out = { in->arena, in->json, keys, NKEYS };

	return gitlab_pin_list(in->db, in->arena, kind, &in->err) == -1 ? -1 : output_list(&out, next_pins, in);
}

int
pins_remove(struct invocation *in, enum gitlab_pin_kind kind)
{
	const char *const keys[] = { "id", kind == GITLAB_PIN_USER ? "username" : "project",
		"pinned" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	int64_t id;

	in->nothing = kind == GITLAB_PIN_USER ? "the user had no pin" : "the project had no pin";
	if (gitlab_pin_remove(in->db, in->arena, &in->actor, kind, in->args[0], &id, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_str(in->args[0]), cell_bool(false) });
	return 0;
}
