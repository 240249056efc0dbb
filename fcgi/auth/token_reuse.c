#include "auth/token_reuse.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "store/token/personal_token.h"

void
token_reuse_note(struct call *call, struct request *rq)
{
	const struct access_facts *f = &call->facts;
	struct audit_actor actor = call_actor(call, rq);
	struct err err = { 0 };

	if (f->token_id == 0 || f->token_state != TOKEN_REVOKED ||
	    strcmp(f->token_kind, "personal") != 0)
		return;
	if (personal_token_end_successor(call->app->db, rq->arena, &actor, f->token_id, &err) == -1)
		log_error("the token that replaced token %" PRId64 " is not revoked: %s",
		    f->token_id, err.detail[0] != '\0' ? err.detail : err.pub);
}
