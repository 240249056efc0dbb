#include "api/credential.h"

#include "http/router.h"

/* GitLab's headers, and what each is for. */
static const struct {
	const char *fcgi_name;
	enum token_kind kind;
} headers[] = {
	{ "HTTP_PRIVATE_TOKEN", TOKEN_PERSONAL },
	{ "HTTP_DEPLOY_TOKEN", TOKEN_DEPLOY },
	{ "HTTP_JOB_TOKEN", TOKEN_JOB },
};

enum { NHEADERS = sizeof(headers) / sizeof(*headers) };

static int
check_single(struct request *rq)
{
	int n = rq->authorization != NULL;

	for (size_t i = 0; i < NHEADERS; i++)
		n += request_header(rq, headers[i].fcgi_name) != NULL;
	return n > 1 ? err_set(&rq->err, 400, "the request has more than one set of credentials")
		     : 0;
}

static void
parse(struct slice text, struct request_credential *out, enum token_kind *kind)
{
	out->kind =
	    token_parse(text, kind, out->digest) ? CREDENTIAL_TOKEN : CREDENTIAL_MALFORMED;
}

static void
read_headers(const struct request *rq, struct request_credential *out)
{
	for (size_t i = 0; i < NHEADERS; i++) {
		const char *text = request_header(rq, headers[i].fcgi_name);
		enum token_kind kind;

		if (text == NULL)
			continue;
		parse(slice_str(text), out, &kind);
		if (out->kind == CREDENTIAL_TOKEN && kind != headers[i].kind)
			out->kind = CREDENTIAL_MALFORMED;
	}
}

int
credential_read(struct request *rq, struct request_credential *out)
{
	enum token_kind kind;
	struct slice text;

	out->kind = CREDENTIAL_NONE;
	if (check_single(rq) == -1 ||
	    token_from_authorization(rq->arena, rq->authorization, &text, &rq->err) == -1)
		return -1;
	if (text.n > 0)
		parse(text, out, &kind);
	else if (rq->route->shape == SHAPE_GITLAB)
		read_headers(rq, out);
	return 0;
}
