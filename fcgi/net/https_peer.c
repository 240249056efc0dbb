#include "net/https_peer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/slice.h"
#include "base/url.h"

#define PEM_KEY "Cert:"

/* Is the certificate for this name or address? */
static bool
is_for(X509 *cert, struct slice host)
{
	char name[HTTPS_PEER_NAME_SIZE];

	/* an address of IPv6 stands in brackets */
	if (host.n > 2 && host.p[0] == '[')
		host = slice_of(host.p + 1, host.n - 2);
	snprintf(name, sizeof(name), "%.*s", (int)host.n, host.p);
	return X509_check_host(cert, name, 0, 0, NULL) == 1 || X509_check_ip_asc(cert, name, 0) == 1;
}

static bool
read_end(const X509 *cert, int64_t *end)
{
	struct tm tm = { 0 };

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return false;
	*end = timegm(&tm);
	return true;
}

/* One certificate of the chain.  own: the server's. */
static bool
take_pem(const char *pem, bool own, struct slice host, struct https_peer *peer)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	int64_t end;
	bool good = cert != NULL && read_end(cert, &end);

	if (good && own)
		peer->named = is_for(cert, host);
	if (good && (own || end < peer->not_after)) {
		peer->not_after = end;
		X509_NAME_oneline(X509_get_subject_name(cert), peer->expires, sizeof(peer->expires));
	}
	X509_free(cert);
	BIO_free(bio);
	return good;
}

static bool
take_chain(CURL *c, struct slice host, struct https_peer *peer)
{
	struct curl_certinfo *info = NULL;
	bool good = curl_easy_getinfo(c, CURLINFO_CERTINFO, &info) == CURLE_OK && info != NULL &&
		    info->num_of_certs > 0;

	for (int i = 0; good && i < info->num_of_certs; i++) {
		bool taken = false;

		for (const struct curl_slist *s = info->certinfo[i]; s != NULL; s = s->next) {
			if (strncmp(s->data, PEM_KEY, strlen(PEM_KEY)) == 0)
				taken = take_pem(s->data + strlen(PEM_KEY), i == 0, host, peer);
		}
		good = taken;
	}
	return good;
}

static bool
configure(CURL *c, const char *url, long timeout_ms, char *reason)
{
	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CERTINFO, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       /* an expired or private one is to be read, too */
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason) == CURLE_OK;
}

int
https_peer(const char *url, long timeout_ms, struct https_peer *peer, struct err *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURL *c = curl_easy_init();
	CURLcode code;
	int rc = 0;

	*peer = (struct https_peer){ 0 };
	if (c == NULL || !configure(c, url, timeout_ms, reason)) {
		curl_easy_cleanup(c);
		return err_internal(err, 503, "%s: libcurl does not start", url);
	}
	code = curl_easy_perform(c);
	if (code != CURLE_OK)
		rc = err_internal(err, 503, "%s: %s", url, reason[0] != '\0' ? reason : curl_easy_strerror(code));
	else if (!take_chain(c, url_host(slice_str(url)), peer))
		rc = err_internal(err, 503, "%s: libcurl does not give the server's certificate", url);
	curl_easy_cleanup(c);
	return rc;
}
