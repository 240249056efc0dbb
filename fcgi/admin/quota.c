#include "admin/quota.h"

#include <strings.h>

const char *const admin_quota_keys[ADMIN_QUOTA_NKEYS] = { "quota_bytes", "quota_versions",
	"quota_crates", "used_bytes", "used_versions", "used_crates" };

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
