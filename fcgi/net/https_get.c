#include "net/https_get.h"

#include <stdbool.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hosts.h"
#include "base/url.h"
#include "net/http_status.h"

enum { MS_US = 1000, HEADER_MAX = 16 * 1024 };

struct https_connections {
	CURL *curl; /* NULL: nothing was asked yet */
};

/* One request; its parts are freed with the arena. */
struct transfer {
	const struct https_get *get; /* until https_get() returns, as err */
	CURL *curl;
	bool is_kept; /* the handle is of https_connections */
	struct curl_slist *headers;
	struct buf body;
	bool is_cut; /* the answer is an error, whose status counts, and its body is too large */
	struct err *err;
	bool is_refused; /* `take` has set err */
	const char *proxy; /* "": none; without its user, since libcurl's messages show all of it */
	const char *proxy_user; /* USER:PASSWORD, with %-escapes; NULL: none */
	const char *shown; /* as in struct https_answer */
	char reason[CURL_ERROR_SIZE];
};

static void
transfer_free(void *arg)
{
	struct transfer *t = arg;

	if (!t->is_kept)
		curl_easy_cleanup(t->curl);
	for (struct curl_slist *h = t->headers; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
}

static void
connections_free(void *arg)
{
	struct https_connections *c = arg;

	curl_easy_cleanup(c->curl);
}

struct https_connections *
https_connections_new(struct arena *a)
{
	struct https_connections *c = arena_alloc(a, sizeof(*c));

	arena_defer(a, connections_free, c);
	return c;
}

/* A handle without any option; it may have connections open. */
static CURL *
open_handle(struct https_connections *connections)
{
	if (connections == NULL || connections->curl == NULL) {
		CURL *curl = curl_easy_init();

		if (connections != NULL)
			connections->curl = curl;
		return curl;
	}
	curl_easy_reset(connections->curl);
	return connections->curl;
}

static bool
is_success(const struct transfer *t)
{
	long status = 0;

	return curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    status == HTTP_OK;
}

/* Is the body too large for memory, where it goes, or does the server announce that it is? */
static bool
is_too_large(const struct transfer *t)
{
	curl_off_t announced = 0;

	return buf_full(&t->body) || (t->get->take == NULL && is_success(t) &&
	    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced) == CURLE_OK &&
	    announced > (curl_off_t)t->body.max);
}

/* A body that is too large ends the transfer.  The status of an error counts, however long its body is. */
static size_t
body_take(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	if (t->get->take != NULL && is_success(t)) {
		t->is_refused = t->get->take(t->get->arg, slice_of(p, size * n), t->err) == -1;
		return t->is_refused ? 0 : size * n;
	}
	t->is_cut = !is_success(t) && t->body.n + size * n > HTTPS_GET_BODY_MAX;
	if (t->is_cut || is_too_large(t))
		return 0;
	buf_put(&t->body, p, size * n);
	return is_too_large(t) ? 0 : size * n;
}

/* A header of the answer that is too long to be honest ends it as well. */
static size_t
header_take(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n > HEADER_MAX ? 0 : size * n;
}

static bool
add_headers(struct transfer *t, const struct https_get *get)
{
	for (size_t i = 0; get->headers[i] != NULL; i++) {
		struct curl_slist *longer = curl_slist_append(t->headers, get->headers[i]);

		if (longer == NULL)
			return false;
		t->headers = longer;
	}
	return curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static long
timeout_ms(const struct https_get *get)
{
	int64_t left = get->timeout_ms != 0 ? get->timeout_ms : HTTPS_GET_TIMEOUT_MS;

	if (get->deadline_us != 0 && (get->deadline_us - clock_us()) / MS_US < left)
		left = (get->deadline_us - clock_us()) / MS_US;
	/* 0 would be no limit */
	return left > 0 ? (long)left : 1;
}

/* Without these libcurl takes proxies and exceptions from the environment. */
static bool
configure_proxy(const struct transfer *t, const struct https_get *get)
{
	CURL *c = t->curl;

	return curl_easy_setopt(c, CURLOPT_PROXY, t->proxy) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXYUSERPWD, t->proxy_user) == CURLE_OK &&
	    /* also for http://: else the proxy would get the request itself, and answer in place of the host */
	    curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PRE_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOPROXY, "") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
	    /* headers with secrets in them are not for the proxy */
	    curl_easy_setopt(c, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXY_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXY_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    (get->ca_file[0] == '\0' || curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, get->ca_file) == CURLE_OK);
}

/* libcurl sends an Authorization of the caller to the host of the URL alone, and other headers to all. */
static bool
configure_redirects(const struct transfer *t, const struct https_get *get)
{
	const char *to = get->plain && !url_is_https(slice_str(get->url)) ? "http,https" : "https";

	return curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, get->redirects ? 1L : 0L) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_MAXREDIRS, (long)HTTPS_GET_REDIRECTS_MAX) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_UNRESTRICTED_AUTH, 0L) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_REDIR_PROTOCOLS_STR, to) == CURLE_OK;
}

/* False: an option was not taken, and nothing may be sent. */
static bool
configure(struct transfer *t, const struct https_get *get)
{
	CURL *c = t->curl;

	return curl_easy_setopt(c, CURLOPT_URL, get->url) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, get->plain ? "http,https" : "https") == CURLE_OK &&
	    configure_redirects(t, get) &&
	    configure_proxy(t, get) && curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    /* libcurl's folder of certificates counts besides this file */
	    (get->ca_file[0] == '\0' ||
	        curl_easy_setopt(c, CURLOPT_CAINFO, get->ca_file) == CURLE_OK) &&
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms(get)) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTPS_GET_TIMEOUT_MS) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    /* else what looks for the name is waited for, past the time-out; it ends by itself */
	    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_USERAGENT, "berth/" BERTH_VERSION) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->reason) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_take) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_take) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK && add_headers(t, get);
}

/* What to do about a certificate: often its authority is one of the company's own. */
static const char *
advice(const struct transfer *t, CURLcode rc)
{
	long result = X509_V_OK;

	if (rc != CURLE_PEER_FAILED_VERIFICATION ||
	    curl_easy_getinfo(t->curl, CURLINFO_SSL_VERIFYRESULT, &result) != CURLE_OK)
		return "";
	return result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	    result == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	    result == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
	    ? "; if you trust its authority, name the file of that certificate in ci_ca_file" : "";
}

/*
 * The proxy's status for the last tunnel; 0: it has not answered.  If an earlier GET has made the tunnel,
 * libcurl has no status, but it was ready to send the request.
 */
static long
tunnel_status(const struct transfer *t)
{
	curl_off_t ready_us = 0;
	long status = 0;

	if (curl_easy_getinfo(t->curl, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK && status != 0)
		return status;
	(void)curl_easy_getinfo(t->curl, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	return ready_us > 0 ? HTTP_OK : 0;
}

/*
 * There is no answer.  The error says who is to blame: the proxy that could not be reached or has not
 * answered, the proxy that has refused, or the server behind it.
 */
static int
fail(const struct transfer *t, CURLcode rc, struct err *err)
{
	enum { PROXY_AUTHENTICATION_REQUIRED = 407 };
	const char *reason = t->reason[0] != '\0' ? t->reason : curl_easy_strerror(rc);
	struct slice proxy = url_host_port(slice_str(t->proxy));
	long code = tunnel_status(t);

	if (proxy.n == 0)
		return err_internal(err, 503, "%s: %s%s", t->shown, reason, advice(t, rc));
	if (code == 0)
		return err_internal(err, 503, "%s: the proxy %.*s does not answer: %s; check outbound_proxy",
		    t->shown, (int)proxy.n, proxy.p, reason);
	if (code == PROXY_AUTHENTICATION_REQUIRED)
		return err_internal(err, 503, "%s: the proxy %.*s answers 407: set a user and a password "
		    "that it accepts in outbound_proxy", t->shown, (int)proxy.n, proxy.p);
	if (code != HTTP_OK)
		return err_internal(err, 503, "%s: the proxy %.*s answers %ld: allow the host there, or "
		    "name it in outbound_proxy_except", t->shown, (int)proxy.n, proxy.p, code);
	return err_internal(err, 503, "%s through the proxy %.*s: %s%s", t->shown, (int)proxy.n, proxy.p, reason,
	    advice(t, rc));
}

static bool
is_direct(const struct https_get *get)
{
	return get->proxy[0] == '\0' || hosts_include(get->proxy_except, url_host(slice_str(get->url)));
}

static void
choose_proxy(struct transfer *t, struct arena *a)
{
	struct slice user = is_direct(t->get) ? slice_of("", 0) : url_user(slice_str(t->get->proxy));

	t->proxy = is_direct(t->get) ? "" : url_shown(a, t->get->proxy);
	t->proxy_user = user.n > 0 ? arena_slicedup(a, user) : NULL;
}

/* Adds to t->shown the host that the transfer has come to, if that is another one. */
static bool
find_host(struct transfer *t, struct arena *a)
{
	struct slice asked = url_host_port(slice_str(t->get->url)), host;
	const char *url = NULL;

	if (curl_easy_getinfo(t->curl, CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || url == NULL ||
	    !url_is_web(slice_str(url)))
		return false;
	host = url_host_port(slice_str(url));
	if (slice_equal(host, asked))
		return false;
	t->shown = arena_printf(a, "%s, redirected to %.*s", t->shown, (int)host.n, host.p);
	return true;
}

int
https_get(struct arena *a, const struct https_get *get, struct https_answer *answer,
    struct err *err)
{
	struct transfer *t = arena_alloc(a, sizeof(*t));
	curl_off_t retry_after = 0;
	CURLcode rc;

	/* a file of that name would get the secrets of the connection */
	unsetenv("SSLKEYLOGFILE");
	t->get = get;
	t->err = err;
	t->shown = arena_printf(a, "GET %s", url_shown(a, get->url));
	t->curl = open_handle(get->connections);
	t->is_kept = get->connections != NULL;
	if (t->curl == NULL)
		return err_internal(err, 503, "%s: libcurl does not start", t->shown);
	arena_defer(a, transfer_free, t);
	buf_init(&t->body, a, get->body_max != 0 ? get->body_max : HTTPS_GET_BODY_MAX);
	choose_proxy(t, a);
	if (!configure(t, get))
		return err_internal(err, 503, "%s: libcurl refuses an option", t->shown);
	rc = curl_easy_perform(t->curl);
	if (t->is_refused)
		return -1;
	if (t->is_cut)
		rc = CURLE_OK;
	answer->is_elsewhere = find_host(t, a);
	if (rc != CURLE_OK && is_too_large(t))
		return err_internal(err, 502, "%s: the answer is longer than %zu bytes", t->shown, t->body.max);
	if (rc != CURLE_OK)
		return fail(t, rc, err);
	if (curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer->status) != CURLE_OK ||
	    curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &retry_after) != CURLE_OK)
		return err_internal(err, 503, "%s: no status", t->shown);
	answer->retry_after = retry_after;
	answer->shown = t->shown;
	answer->body = buf_slice(&t->body);
	return 0;
}
