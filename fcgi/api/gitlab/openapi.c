#include "api/gitlab/openapi.h"

static const unsigned char text[] = {
#include "api/openapi.inc"
};

int
openapi_handle(struct call *call, struct request *rq, struct response *rs)
{
	(void)call;
	(void)rq;
	response_header(rs, "Cache-Control", "public, max-age=300");
	response_body(rs, 200, "application/json", slice_of((const char *)text, sizeof(text)));
	return 0;
}
