#include "cache/cache_keys.h"

#include "base/log.h"
#include "store/token/token_slot.h"

static void
log_lacking(struct cache_keys *k, struct db *db, struct arena *a, const char *path)
{
	struct token_slot_view view;
	struct err err = { 0 };

	if (k->logged || token_slot_look(db, a, path, &view, &err) == -1)
		return;
	k->logged = true;
	if (view.lacking != NULL)
		log_warn("%s", view.lacking);
}

int
cache_keys_read(struct cache_keys *k, struct db *db, struct arena *a, const char *path,
    struct cache_warning *warned, struct err *err)
{
	if (token_slot_keys(db, a, path, &k->keys, err) == -1) {
		if (err->status != 500)
			return -1;
		cache_warn(warned, err);
		err_clear(err);
		if (token_slot_keys(db, a, "", &k->keys, err) == -1)
			return -1;
	}
	log_lacking(k, db, a, path);
	return 0;
}
