#include "store/access_generation.h"

#include <stdio.h>

enum { DIGEST_SIZE = 32 };

void
access_generation_call(struct db_call *call, const unsigned char *digest)
{
	*call = (struct db_call) { .stmt = STMT_ACCESS_GENERATION };
	if (digest != NULL)
		db_bind_bytes(&call->params, slice_of((const char *)digest, DIGEST_SIZE));
	else
		db_bind_null(&call->params);
}

void
access_generation_read(const struct db_call *call, struct access_generation *g)
{
	const struct db_result *r = &call->result;

	*g = (struct access_generation) { .lasts_ms = -1 };
	if (r->rows == 0)
		return;
	snprintf(g->id, sizeof(g->id), "%s", db_str(r, 0, 0));
	if (!db_is_null(r, 0, 1))
		g->lasts_ms = db_int(r, 0, 1);
}

void
access_unchanged_call(struct db_call *call, const char *generation)
{
	*call = (struct db_call) { .stmt = STMT_ACCESS_UNCHANGED };
	db_bind_str(&call->params, generation);
}

bool
access_unchanged_read(const struct db_call *call)
{
	return call->result.rows > 0;
}
