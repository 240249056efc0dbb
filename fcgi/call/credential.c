#include "call/credential.h"

#include <string.h>

#include "access/jwt.h"
#include "http/router.h"

enum { FOREIGN_MIN = 20 }; /* bytes: GitLab has never had shorter ones */

/* GitLab's headers, and what each is for. */
static const struct {
	const char *name;
	const char *fcgi_name;
	enum token_kind kind;
} headers[] = {
	{ "PRIVATE-TOKEN", "HTTP_PRIVATE_TOKEN", TOKEN_PERSONAL },
	{ "DEPLOY-TOKEN", "HTTP_DEPLOY_TOKEN", TOKEN_DEPLOY },
	{ "JOB-TOKEN", "HTTP_JOB_TOKEN", TOKEN_JOB },
};

enum { NHEADERS = sizeof(headers) / sizeof(*headers) };

static int
refuse_repeated(struct request *rq, const char *name)
{
	return err_set(&rq->err, 400, "the header %s is given more than once", name);
}

/* Refuses a repeated header: nginx, a proxy and the pool might each use another one. */
static int
check_single(struct request *rq)
{
	int n = rq->authorization != NULL;

	/* nginx refuses a repeated Authorization itself, and its value may have commas in other schemes */
	if (request_header_count(rq, "HTTP_AUTHORIZATION") > 1)
		return refuse_repeated(rq, "Authorization");
	for (size_t i = 0; i < NHEADERS; i++) {
		const char *value = request_header(rq, headers[i].fcgi_name);

		if (request_header_count(rq, headers[i].fcgi_name) > 1 ||
		    (value != NULL && strchr(value, ',') != NULL))
			return refuse_repeated(rq, headers[i].name);
		n += value != NULL;
	}
	return n > 1 ? err_set(&rq->err, 400, "the request has more than one set of credentials")
		     : 0;
}

/* What other systems' tokens of jobs consist of: JSON Web Tokens and their own. */
static bool
is_foreign(struct slice text)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";
	static const char ours[] = "berth_";

	if (text.n < FOREIGN_MIN || text.n > JWT_MAX)
		return false;
	/* one of ours, or two, or with more around it, is for nobody else to see */
	if (memmem(text.p, text.n, ours, sizeof(ours) - 1) != NULL)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (memchr(bytes, text.p[i], sizeof(bytes) - 1) == NULL)
			return false;
	}
	return true;
}

static void
parse(struct slice text, const struct token_keys *keys, struct request_credential *out,
    enum token_kind *kind)
{
	struct token token;

	*kind = TOKEN_JOB;
	out->kind = CREDENTIAL_TOKEN;
	if (token_parse(text, keys, &token)) {
		*kind = token.kind;
		memcpy(out->digest, token.digest, sizeof(out->digest));
		memcpy(out->handle, token.handle, sizeof(out->handle));
		return;
	}
	if (is_foreign(text) && token_digest(text, out->digest))
		out->foreign = text;
	else
		out->kind = CREDENTIAL_MALFORMED;
}

/* A token of ours in the header of another kind, as GitLab refuses it. */
static int
refuse_header(struct request *rq, size_t wrong, enum token_kind kind)
{
	size_t right = 0;

	while (headers[right].kind != kind)
		right++;
	return err_set(&rq->err, 401, "the header %s does not take a token of this kind; send it as %s, or in "
	    "Authorization", headers[wrong].name, headers[right].name);
}

static int
read_headers(struct request *rq, const struct token_keys *keys, struct request_credential *out)
{
	for (size_t i = 0; i < NHEADERS; i++) {
		const char *text = request_header(rq, headers[i].fcgi_name);
		enum token_kind kind;
		bool ours;

		if (text == NULL)
			continue;
		parse(slice_str(text), keys, out, &kind);
		if (out->kind == CREDENTIAL_MALFORMED || kind == headers[i].kind)
			continue;
		ours = out->foreign.n == 0;
		*out = (struct request_credential) { .kind = CREDENTIAL_MALFORMED };
		if (ours)
			return refuse_header(rq, i, kind);
	}
	return 0;
}

int
credential_read(struct request *rq, const struct token_keys *keys, struct request_credential *out)
{
	enum token_kind kind;
	struct slice text;

	*out = (struct request_credential) { .kind = CREDENTIAL_MALFORMED };
	if (check_single(rq) == -1 ||
	    token_from_authorization(rq->arena, rq->authorization, &text, &rq->err) == -1)
		return -1;
	out->kind = CREDENTIAL_NONE;
	if (text.n > 0) {
		parse(text, keys, out, &kind);
		/* the decoded Basic is a copy */
		out->plain = text.p >= rq->authorization &&
		    text.p < rq->authorization + strlen(rq->authorization);
		return 0;
	}
	return read_headers(rq, keys, out);
}
