#include "auth/outbound.h"

int
outbound_get(const struct worker_app *app, const struct request *rq, const struct https_get *get,
    struct https_answer *answer, struct err *err)
{
	struct https_get configured = *get;

	configured.ca_file = app->settings->ci_ca_file;
	configured.proxy = app->settings->outbound_proxy;
	configured.proxy_except = app->settings->outbound_proxy_except;
	configured.deadline_us = rq->deadline_us;
	return https_get(rq->arena, &configured, answer, err);
}

int
outbound_refuse(struct err *err)
{
	err_internal(err, 503, "too many workers are already waiting for other systems");
	return err_tell(err,
	    "too many jobs of other systems log in at once; try again in a moment; other tokens are "
	    "not affected");
}
