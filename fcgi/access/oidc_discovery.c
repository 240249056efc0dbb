#include "access/oidc_discovery.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"

/* "https://host:port" of an address: how much of it. */
static size_t
origin_length(const char *url)
{
	size_t scheme = strlen("https://");

	return scheme + strcspn(url + scheme, "/");
}

/* Nobody but the issuer's own host says where its keys are. */
static bool
is_same_origin(const char *a, const char *b)
{
	return strncmp(a, "https://", strlen("https://")) == 0 &&
	    strncmp(b, "https://", strlen("https://")) == 0 &&
	    slice_equal(slice_of(a, origin_length(a)), slice_of(b, origin_length(b)));
}

int
oidc_discovery_parse(struct arena *a, struct slice document, const char *issuer, const char **jwks_url,
    struct err *err)
{
	static const char what[] = "the discovery document";
	struct json_get fields = { .what = what, .err = err };
	const char *named;

	if (json_parse(a, document, what, &fields.obj, err) == -1)
		return -1;
	if (!json_object_is_type(fields.obj, json_type_object))
		return err_set(err, 400, "%s is not an object", what);
	if (json_get_str(&fields, "issuer", true, &named) == -1 ||
	    json_get_str(&fields, "jwks_uri", true, jwks_url) == -1)
		return -1;
	if (strcmp(named, issuer) != 0)
		return err_set(err, 400, "%s belongs to another issuer, `%s`", what, named);
	if (!is_same_origin(*jwks_url, issuer))
		return err_set(err, 400, "%s names keys on another host, `%s`", what, *jwks_url);
	return 0;
}
