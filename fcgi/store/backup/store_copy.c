#include "store/backup/store_copy.h"

#include <string.h>

#include "base/fault.h"
#include "store/backup/backup_copy.h"
#include "store/blob/blob.h"
#include "store/blob/blob_needed.h"
#include "store/blob/store_file.h"
#include "store/blob/store_identity.h"

/* A store without an id is new, or of an old version. */
static int
check_registry(const struct blob_store *store, const char *registry, struct err *err)
{
	char id[REGISTRY_ID_SIZE + 1] = "";

	if (store_file_read(store, STORE_ID_FILE, id, sizeof(id), err) == -1)
		return -1;
	if (id[0] == '\0' || strcmp(id, registry) == 0)
		return 0;
	return err_set(err, 409, "the store %s belongs to the registry %s, and the database is the registry %s: "
	    "name a store of that registry, or an empty one", store->name, id, registry);
}

struct copying {
	struct store_copy *c;
	struct backup_copy *copy;
};

static int
copy_one(void *arg, struct arena *a, const char *sha256, int64_t size, struct err *err)
{
	const struct copying *copying = arg;
	struct store_copy *c = copying->c;
	bool good;

	if (backup_copy_add_missing(a, copying->copy, c->from, blob_path(a, sha256), sha256, size, &good, err) == -1)
		return -1;
	FAULT_POINT("store_copy", "copied");
	c->blobs++;
	c->missing += !good;
	return 0;
}

int
store_copy_run(struct arena *a, struct store_copy *c, struct err *err)
{
	struct store_identity identity = { 0 };
	struct copying copying = { .c = c };

	if (store_identity_registry(c->db, a, &identity, err) == -1 ||
	    check_registry(c->from, identity.registry, err) == -1 ||
	    check_registry(c->to, identity.registry, err) == -1 ||
	    backup_copy_to_store(a, c->to, &copying.copy, err) == -1 ||
	    blob_needed_each(c->db, copy_one, &copying, err) == -1 || backup_copy_end(a, copying.copy, err) == -1)
		return -1;
	backup_copy_count(copying.copy, &c->copied, &c->copied_bytes);
	return store_file_write(c->to, STORE_ID_FILE, identity.registry, false, err) == -1 ? -1 : 0;
}
