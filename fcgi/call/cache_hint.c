#include "call/cache_hint.h"

#include <string.h>

#include "cache/cache_dir.h"

/* Does the request name its namespace by number, in the one spelling of the path, without query and body? */
static bool
has_address(const struct call *call, const struct request *rq)
{
	return call->namespace.id != 0 && memchr(rq->raw_path.p, '%', rq->raw_path.n) == NULL &&
	    rq->query.n == 0 && rq->content_length <= 0;
}

/*
 * The holder for a caller without a token: anyone, if the project is public, or all of a group may be; else
 * the address.
 */
static bool
has_no_token(const struct call *call, const struct request *rq, struct cache_who *who)
{
	const struct access_facts *f = &call->facts;

	if (access_is_public(f) || (f->namespace_kind == NAMESPACE_GROUP && !access_by_network(f))) {
		*who = (struct cache_who) { .name = CACHE_ANYONE };
		return true;
	}
	return access_by_network(&call->facts) && cache_who_at(who, rq->remote_addr);
}

/* Finds the holder: a token that nginx can check, or one without a token. */
static bool
has_who(const struct call *call, const struct request *rq, struct cache_who *who)
{
	const struct request_credential *c = &call->credential;

	if (c->kind == CREDENTIAL_NONE)
		return has_no_token(call, rq, who);
	memcpy(who->name, c->handle, sizeof(c->handle));
	return c->kind == CREDENTIAL_TOKEN && c->plain && c->handle[0] != '\0' &&
	    token_keys_find(&call->app->keys, slice_of(c->handle, TOKEN_SLOT_LENGTH)) != NULL;
}

void
cache_hint_leave(const struct call *call, const struct request *rq, struct slice name,
    struct slice version)
{
	int64_t group = call->view.group_id;
	struct cache_hint h = { .file.namespace = group != 0 ? -group : call->facts.project_id };

	if (call->app->settings->cache_dir[0] == '\0' || !has_address(call, rq) ||
	    !has_who(call, rq, &h.who) || name.n >= sizeof(h.file.name) ||
	    version.n >= sizeof(h.file.version))
		return;
	memcpy(h.digest, call->credential.digest, sizeof(h.digest));
	memcpy(h.file.name, name.p, name.n);
	memcpy(h.file.version, version.p, version.n);
	cache_dir_leave_hint(call->app->settings->cache_dir, &h);
}
