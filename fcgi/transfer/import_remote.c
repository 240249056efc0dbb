#include "transfer/import_remote.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/url.h"
#include "crate/crate_name.h"
#include "crate/registry_config.h"
#include "net/http_status.h"
#include "transfer/import_pages.h"

enum {
	ATTEMPTS = 3,
	BUSY_ATTEMPTS = 10, /* of a server that answers 429 and says when to come again: it will have the answer */
	WAIT_MAX_S = 120,
	SAID_S = 3, /* so long a wait is told to the person */
	TIMEOUT_MS = 300 * 1000, /* of a crate on a slow line */
	PAGE = 100 /* crates: cargo's web API allows no more */
};

#define LIST_REMEDY "write the names of all crates into a file, and give it with --list FILE"

/* One request, which is repeated until there is an answer. */
struct question {
	struct https_get get;
	const struct import_download *download; /* NULL: the answer goes to memory */
	bool has_failed; /* the last answer was 5xx */
};

static bool
is_for_now(int rc, long status, const struct err *err)
{
	return rc == -1 ? err->status == 503 : status == HTTP_TOO_MANY || status >= HTTP_SERVER_ERROR;
}

static int
ask_once(struct question *q, struct arena *a, struct https_answer *answer, struct err *err)
{
	if (q->download != NULL && q->download->begin(q->download->arg, err) == -1)
		return -1;
	return https_get(a, &q->get, answer, err);
}

/* The error for an answer that asks to come later. */
static int
give_up(const struct https_answer *answer, struct err *err)
{
	if (answer->retry_after <= WAIT_MAX_S)
		return err_internal(err, 503, "%s: the server answers %ld", answer->shown, answer->status);
	return err_internal(err, 503, "%s: the server answers %ld, and asks to come again in %" PRId64 " seconds",
	    answer->shown, answer->status, answer->retry_after);
}

/* Waits as long as the server asks for. */
static void
wait_for_server(const struct import_remote *remote, struct arena *a, const struct https_answer *answer,
    unsigned seconds)
{
	if (seconds >= SAID_S && remote->say != NULL)
		remote->say(arena_printf(a, "%s: the server answers %ld, and asks to come again in %u seconds; "
		    "the import waits", answer->shown, answer->status, seconds));
	sleep(seconds);
}

/* -1: there is no answer, or only one that asks to come later. */
static int
ask(const struct import_remote *remote, struct question *q, struct arena *a, struct https_answer *answer,
    struct err *err)
{
	for (unsigned attempt = 1;; attempt++) {
		int rc = ask_once(q, a, answer, err);
		unsigned attempts = ATTEMPTS;

		q->has_failed = rc == 0 && answer->status >= HTTP_SERVER_ERROR;
		if (!is_for_now(rc, rc == 0 ? answer->status : 0, err))
			return rc;
		if (rc == 0 && answer->status == HTTP_TOO_MANY && answer->retry_after > 0)
			attempts = BUSY_ATTEMPTS;
		if (attempt >= attempts || (rc == 0 && answer->retry_after > WAIT_MAX_S))
			return rc == -1 ? -1 : give_up(answer, err);
		err_clear(err);
		if (rc == 0 && answer->retry_after > 0)
			wait_for_server(remote, a, answer, (unsigned)answer->retry_after);
		else
			sleep(attempt);
	}
}

/* Is the URL one of the server that has the index? */
static bool
is_same_server(const struct import_remote *remote, const char *url)
{
	return remote->index != NULL && url_is_https(slice_str(remote->index)) == url_is_https(slice_str(url)) &&
	    slice_equal(url_host_port(slice_str(remote->index)), url_host_port(slice_str(url)));
}

static struct question
question_of(const struct import_remote *remote, struct arena *a, const char *url)
{
	struct question q = { .get = {
		.url = url,
		.plain = remote->plain,
		.ca_file = remote->ca_file,
		.proxy = remote->proxy,
		.proxy_except = remote->proxy_except,
		.timeout_ms = TIMEOUT_MS,
		.redirects = true,
	} };

	if (remote->token != NULL && (remote->auth_required || is_same_server(remote, url)))
		q.get.headers[0] = arena_printf(a, "Authorization: %s", remote->token);
	return q;
}

/*
 * As ask(), for a part of the registry.  If the answer is too large, or if the server answers 5xx for this
 * part and still has config.json, it refuses only this part: it may have lost the bytes of a version.  The
 * same holds if it redirects, since it chooses the host for each part.  config.json says nothing about
 * another host that has the crates.
 */
static int
ask_part(const struct import_remote *remote, struct question *q, struct arena *a, struct https_answer *answer,
    struct err *err)
{
	int rc = ask(remote, q, a, answer, err);
	struct https_answer config;
	struct question probe;
	struct err away = { 0 };

	if (rc == -1 && err->status == HTTP_BAD_GATEWAY)
		return err_set(err, IMPORT_REMOTE_REFUSED, "%s", arena_strdup(a, err->detail));
	if (rc == 0 || !q->has_failed || !is_same_server(remote, q->get.url))
		return rc;
	probe = question_of(remote, a, arena_printf(a, "%sconfig.json", remote->index));
	return https_get(a, &probe.get, &config, &away) == -1 || config.status != HTTP_OK ? -1
	    : err_set(err, IMPORT_REMOTE_REFUSED, "%s", arena_strdup(a, err->detail));
}

/* Cargo reference, "Sparse protocol". */
static bool
is_absent(long status)
{
	return status == HTTP_NOT_FOUND || status == HTTP_GONE || status == HTTP_LEGAL;
}

int
import_remote_blame(struct err *err)
{
	if (err->status == 400)
		err->status = IMPORT_REMOTE_REFUSED;
	return -1;
}

/* The error for an answer with an unexpected status. */
static int
refuse(const struct import_remote *remote, const struct https_answer *answer, struct err *err)
{
	long status = answer->status;

	/* the token goes to the registry alone */
	if (answer->is_elsewhere)
		return err_set(err, IMPORT_REMOTE_REFUSED, "%s, answers %ld", answer->shown, status);
	/* Artifactory before 7.50 answers 400 to a client that sends no token */
	if (status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN ||
	    (status == HTTP_BAD_REQUEST && remote->token == NULL))
		return err_set(err, IMPORT_REMOTE_REFUSED, "%s answers %ld: %s", answer->shown, status,
		    remote->token == NULL
		    ? "give a token with --token-file"
		    : "the registry does not accept the token of --token-file or BERTH_IMPORT_TOKEN");
	return err_set(err, IMPORT_REMOTE_REFUSED, "%s answers %ld", answer->shown, status);
}

/* The URL without the slash that Nexus puts at its end. */
static const char *
without_slash(struct arena *a, const char *url)
{
	size_t n = strlen(url);

	return url[n - 1] == '/' ? arena_strndup(a, url, n - 1) : url;
}

/* config.json of the server or of a file. */
static int
read_config(struct arena *a, struct slice text, struct import_remote *remote, struct err *err)
{
	struct registry_said said;

	if (registry_config_parse(a, text, &said, err) == -1)
		return import_remote_blame(err);
	if (remote->plain ? !url_is_web(slice_str(said.dl)) : !url_is_https(slice_str(said.dl)))
		return err_set(err, IMPORT_REMOTE_REFUSED, "config.json of the index: dl must be a URL with "
		    "https://, not `%s`", url_shown(a, said.dl));
	remote->dl = said.dl;
	if (said.api != NULL && said.api[0] != '\0')
		remote->api = without_slash(a, said.api);
	remote->auth_required = said.auth_required;
	return 0;
}

int
import_remote_open(struct arena *a, const char *url, struct import_remote *remote, struct err *err)
{
	const char *sparse = "sparse+";
	const char *bare = strncmp(url, sparse, strlen(sparse)) == 0 ? url + strlen(sparse) : url;
	struct https_answer answer;
	struct question q;

	if (!url_is_web(slice_str(bare)) || url_user(slice_str(bare)).n > 0 || strpbrk(bare, "?#") != NULL)
		return err_set(err, 400, "`%s` is not the URL of an index: give sparse+https://HOST/PATH/, "
		    "and a token or password only with --token-file", url_shown(a, url));
	remote->index = bare[strlen(bare) - 1] == '/' ? bare : arena_printf(a, "%s/", bare);
	remote->plain = !url_is_https(slice_str(bare));
	q = question_of(remote, a, arena_printf(a, "%sconfig.json", remote->index));
	if (ask(remote, &q, a, &answer, err) == -1)
		return -1;
	return answer.status == HTTP_OK ? read_config(a, answer.body, remote, err) :
	    refuse(remote, &answer, err);
}

int
import_remote_files(struct arena *a, struct slice config, struct import_remote *remote, struct err *err)
{
	remote->plain = true;
	return read_config(a, config, remote, err);
}

int
import_remote_get(const struct import_remote *remote, struct https_connections *connections, struct arena *a,
    const char *url, struct slice *body, struct err *err)
{
	struct https_answer answer;
	struct question q = question_of(remote, a, url);

	q.get.connections = connections;
	q.get.body_max = IMPORT_REMOTE_INDEX_MAX;
	if (ask(remote, &q, a, &answer, err) == -1)
		return -1;
	*body = answer.body;
	return answer.status == HTTP_OK ? 0 : refuse(remote, &answer, err);
}

/* Adds to the error of a list that the API does not give what to do instead. */
static int
add_advice(struct err *err)
{
	struct err was = *err;

	err_clear(err);
	return err_set(err, IMPORT_REMOTE_REFUSED, "%s; or " LIST_REMEDY, was.pub);
}

/* Reads all pages, from the first one on. */
static int
read_pages(const struct import_remote *remote, struct https_connections *connections, struct arena *page,
    struct import_pages *pages, struct err *err)
{
	bool more = true;

	import_pages_begin(pages);
	for (int number = 1; more && !pages->moved; number++) {
		struct slice body;
		const char *url = arena_printf(page, "%s/api/v1/crates?q=&per_page=%d&page=%d", remote->api, PAGE,
		    number);

		if (import_remote_get(remote, connections, page, url, &body, err) == -1)
			return err->status == IMPORT_REMOTE_REFUSED ? add_advice(err) : -1;
		if (import_pages_take(pages, page, body, &more, err) == -1)
			return import_remote_blame(err);
		arena_reset(page);
	}
	return 0;
}

/* If a crate comes or goes meanwhile, the later pages shift, and the list lacks a crate: it is read again. */
static int
list_pages(const struct import_remote *remote, struct arena *page, struct import_pages *pages,
    struct err *err)
{
	struct https_connections *connections = https_connections_new(pages->arena);

	for (unsigned attempt = 0; attempt == 0 || (pages->moved && attempt < ATTEMPTS); attempt++) {
		if (read_pages(remote, connections, page, pages, err) == -1)
			return -1;
	}
	if (pages->moved)
		return err_set(err, IMPORT_REMOTE_REFUSED, "the API's list of crates changes while it is read; try again, "
		    "or " LIST_REMEDY);
	if (pages->total == 0)
		return err_set(err, IMPORT_REMOTE_REFUSED, "the registry lists no crates, so nothing is imported; if it "
		    "has some, " LIST_REMEDY);
	return pages->names.n > 0 && (int64_t)pages->names.n >= pages->total ? 0 : err_set(err,
	    IMPORT_REMOTE_REFUSED, "the API of the registry lists %zu of %" PRId64 " crates; " LIST_REMEDY,
	    pages->names.n, pages->total);
}

/* cargo's own API has no parameter for pages; registries with pages use this name. */
int
import_remote_list(const struct import_remote *remote, struct arena *a, struct strings *names,
    struct err *err)
{
	struct import_pages pages = { .arena = a };
	struct arena *page;
	int rc;

	if (remote->api == NULL)
		return err_set(err, IMPORT_REMOTE_REFUSED, "the registry has no API that lists its crates; " LIST_REMEDY);
	page = arena_new();
	rc = list_pages(remote, page, &pages, err);
	arena_free(page);
	*names = pages.names;
	return rc;
}

int
import_remote_index(const struct import_remote *remote, struct https_connections *connections,
    struct arena *a, const char *crate, struct slice *lines, bool *found, struct err *err)
{
	struct https_answer answer;
	struct question q = question_of(remote, a,
	    arena_printf(a, "%s%s", remote->index, crate_name_index_path(a, slice_str(crate))));

	q.get.connections = connections;
	q.get.body_max = IMPORT_REMOTE_INDEX_MAX;
	if (ask_part(remote, &q, a, &answer, err) == -1)
		return -1;
	*found = answer.status == HTTP_OK;
	*lines = answer.body;
	return *found || is_absent(answer.status) ? 0 : refuse(remote, &answer, err);
}

int
import_remote_crate(const struct import_remote *remote, struct https_connections *connections,
    struct arena *a, const struct import_download *d, bool *found, struct err *err)
{
	struct https_answer answer = { 0 };
	struct question q = question_of(remote, a,
	    registry_download_url(a, remote->dl, d->crate, d->version, d->cksum));

	q.get.connections = connections;
	q.get.take = d->take;
	q.get.arg = d->arg;
	q.download = d;
	if (ask_part(remote, &q, a, &answer, err) == -1)
		return -1;
	*found = answer.status == HTTP_OK;
	return *found || is_absent(answer.status) ? 0 : refuse(remote, &answer, err);
}
