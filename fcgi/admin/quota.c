#include "admin/quota.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "config/conf.h"

const char *const admin_quota_keys[ADMIN_QUOTA_NKEYS] = { "quota_bytes", "quota_versions",
	"quota_crates", "used_bytes", "used_versions", "used_crates" };

struct given {
	int64_t max[QUOTA__MAX];
};

static const struct conf_key keys[QUOTA__MAX] = {
	[QUOTA_BYTES] = { .name = "quota_bytes", .type = CONF_SIZE, .max = INT64_MAX,
	    .offset = offsetof(struct given, max[QUOTA_BYTES]) },
	[QUOTA_VERSIONS] = { .name = "quota_versions", .type = CONF_INT, .max = INT64_MAX,
	    .offset = offsetof(struct given, max[QUOTA_VERSIONS]) },
	[QUOTA_CRATES] = { .name = "quota_crates", .type = CONF_INT, .max = INT64_MAX,
	    .offset = offsetof(struct given, max[QUOTA_CRATES]) },
};

static int
find(struct slice key)
{
	int i = 0;

	while (i < QUOTA__MAX && !slice_is(key, quota_keys[i]))
		i++;
	return i;
}

bool
admin_quota_is_key(struct slice key)
{
	return find(key) < QUOTA__MAX;
}

/* What the words say; *any: something. */
static int
read_words(struct invocation *in, struct given *given, bool *any, struct err *err)
{
	*any = false;
	for (int i = 0; i < QUOTA__MAX; i++)
		given->max[i] = INT64_MIN;
	for (size_t i = 1; i < in->nargs; i++) {
		size_t n = strcspn(in->args[i], "=");
		int kind = find(slice_of(in->args[i], n));
		const char *value = in->args[i] + n + 1, *wrong = NULL;

		if (kind == QUOTA__MAX || in->args[i][n] == '\0')
			continue;
		*any = true;
		if (value[0] == '\0' || strcmp(value, "default") == 0)
			given->max[kind] = QUOTA_NONE;
		else
			wrong = conf_set(in->arena, &keys[kind], value, given);
		if (wrong != NULL)
			return err_set(err, 400, "%s %s", quota_keys[kind], wrong);
	}
	return 0;
}

int
admin_quota_check(struct invocation *in)
{
	struct given given;
	bool any;

	return read_words(in, &given, &any, &in->err);
}

int
admin_quota_set(struct invocation *in, struct err *err)
{
	struct given given;
	bool any;

	if (read_words(in, &given, &any, err) == -1)
		return -1;
	if (!any)
		return 0;
	return quota_set(in->db, in->arena, &in->actor, in->args[0], given.max, err);
}

void
admin_quota_cells(const struct quota *quotas, size_t n, const char *namespace,
    struct cell cells[ADMIN_QUOTA_NKEYS])
{
	const struct quota *q = NULL;

	for (size_t i = 0; i < n && q == NULL; i++) {
		if (strcasecmp(quotas[i].namespace, namespace) == 0)
			q = &quotas[i];
	}
	for (int i = 0; i < QUOTA__MAX; i++) {
		bool limited = q != NULL && q->max[i] != QUOTA_NONE;

		cells[i] = limited ? cell_int(q->max[i]) : cell_str(NULL);
		cells[QUOTA__MAX + i] = q != NULL ? cell_int(q->used[i]) : cell_str(NULL);
	}
}
