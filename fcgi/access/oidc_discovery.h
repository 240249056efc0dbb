#ifndef ACCESS_OIDC_DISCOVERY_H
#define ACCESS_OIDC_DISCOVERY_H

/* What an issuer of identity tokens says about itself (OpenID Connect Discovery 1.0, sections 3 and 4). */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Reads the document of `issuer`, whose URL has https and no slash at its end.  *jwks_url: where its keys
 * are, on the same host and port; it lives as long as the arena.  -1: 400, the document is malformed, is that
 * of another issuer, or names keys on another host.
 */
int oidc_discovery_parse(struct arena *, struct slice document, const char *issuer, const char **jwks_url,
    struct err *) __attribute__((warn_unused_result));

#endif
