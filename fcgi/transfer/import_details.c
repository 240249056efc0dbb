#include "transfer/import_details.h"

#include <inttypes.h>

#include "crate/crate_name.h"
#include "store/package/imported.h"
#include "store/package/owner.h"

static int
count_downloads(const struct importer *importer, struct arena *a, const struct import_crate *crate,
    const char *normalized, size_t *changed, struct err *err)
{
	const char **versions = arena_calloc(a, crate->nversions, sizeof(*versions));
	const char **numbers = arena_calloc(a, crate->nversions, sizeof(*numbers));
	size_t n = 0;

	for (size_t i = 0; i < crate->nversions; i++) {
		const struct import_version *v = &crate->versions[i];

		if (v->downloads == 0)
			continue;
		versions[n] = arena_strndup(a, v->version, strcspn(v->version, "+"));
		numbers[n++] = arena_printf(a, "%" PRId64, v->downloads);
	}
	return n == 0 ? 0 : imported_downloads(importer->db, a, importer->job->project_id, normalized,
	    versions, numbers, n, changed, err);
}

/* Reports a user who was removed or blocked meanwhile as missing. */
static int
add_owner(const struct importer *importer, struct arena *a, const char *crate, const char *username,
    struct import_details *details, struct err *err)
{
	const struct owner_change change = {
		.actor = importer->job->actor,
		.limits.operations = TOKEN_ANY_OPERATION,
		.project_id = importer->job->project_id,
		.crate = crate,
		.usernames = &username,
		.n = 1,
		.add = true,
	};
	const char *message;

	if (owner_change(importer->db, a, &change, &message, err) == 0) {
		details->owners++;
		return 0;
	}
	if (err->status >= 500)
		return -1;
	err_clear(err);
	details->missing.v[details->missing.n++] = username;
	return 0;
}

static int
add_owners(const struct importer *importer, struct arena *a, const struct import_crate *crate,
    const char *normalized, struct import_details *details, struct err *err)
{
	struct imported_owner *owners;
	size_t n;

	if (imported_owners(importer->db, a, importer->job->project_id, normalized, &crate->owners, &owners,
	        &n, err) == -1)
		return -1;
	details->missing.v = arena_calloc(a, n, sizeof(*details->missing.v));
	for (size_t i = 0; i < n; i++) {
		if (!owners[i].active)
			details->missing.v[details->missing.n++] = owners[i].username;
		else if (importer->job->dry_run)
			details->owners++;
		else if (add_owner(importer, a, crate->name, owners[i].username, details, err) == -1)
			return -1;
	}
	return 0;
}

int
import_details(const struct importer *importer, struct arena *a, const struct import_crate *crate,
    struct import_details *details, struct err *err)
{
	const char *normalized = crate_name_normalize(a, slice_str(crate->name));

	*details = (struct import_details) { .owners = 0 };
	if (!importer->job->dry_run &&
	    count_downloads(importer, a, crate, normalized, &details->downloads, err) == -1)
		return -1;
	return crate->owners.n == 0 ? 0 : add_owners(importer, a, crate, normalized, details, err);
}
