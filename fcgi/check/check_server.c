#include "check/check.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "config/nginx_modules.h"
#include "net/http_status.h"
#include "net/https_get.h"
#include "net/https_peer.h"

enum { POOL_MS = 150, CERTIFICATE_MS = 150, NGINX_MS = 100, US = 1000, DAY_S = 86400 };

/* What readiness says of a part, unless all is well there. */
struct part {
	const char *name, *detail; /* keys of its answer */
	const char *good;          /* the value; NULL: the key is there only if something is wrong */
	bool needed;               /* the pool cannot work without it */
};

static const struct part parts[] = {
	{ "database", NULL, "ok", true },
	{ "schema", NULL, "ok", true },
	{ "store", "store_detail", "ok", true },
	{ "token_key", "token_key_detail", "ok", false },
	{ "cache", "cache_detail", "served", false },
	{ "reload", "reload_detail", "ok", false },
	{ "nginx_detail", NULL, NULL, false },
	{ "node_detail", NULL, NULL, false },
};

/* Says what is wrong with that part.  False: nothing is. */
static bool
say_part(struct checking *c, const struct json_get *in, const struct part *part, bool ready)
{
	const char *value = NULL, *detail = NULL;

	if (json_get_str(in, part->name, false, &value) == -1 || value == NULL ||
	    (part->good != NULL && strcmp(value, part->good) == 0))
		return false;
	if (part->detail != NULL && json_get_str(in, part->detail, false, &detail) == -1)
		detail = NULL;
	check_say(c, !ready && (part->needed || part->good == NULL) ? CHECK_CRITICAL : CHECK_WARNING,
	    "%s%s%s%s%s", part->good != NULL ? part->name : "", part->good != NULL ? ": " : "", value,
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
	return true;
}

/* The pool may be older than the program on the disk. */
static bool
say_version(struct checking *c, const struct json_get *in)
{
	const char *version = NULL;

	if (json_get_str(in, "version", false, &version) == -1 || version == NULL ||
	    strcmp(version, BERTH_VERSION) == 0)
		return false;
	check_say(c, CHECK_WARNING,
	    "the pool is version %s, and this program is " BERTH_VERSION ": restart the "
	    "pool",
	    version);
	return true;
}

/* Says what to do about an answer that is not the pool's. */
static void
say_other_answer(struct checking *c, long status)
{
	bool unreached = status == HTTP_BAD_GATEWAY || status == HTTP_TIMED_OUT;

	check_say(c, CHECK_CRITICAL, "%s/-/readiness answers %ld: %s", c->monitoring, status,
	    unreached ? "nginx does not reach the pool: check whether berth-fcgi runs; if it does, nginx's error "
			"log has the cause, such as a user without the group berth-store"
		      : "check monitoring_allow, and whether this is nginx's server berth-monitoring");
}

static void
say_readiness(struct checking *c, const struct https_answer *answer)
{
	bool ready = answer->status == HTTP_OK, said;
	struct json_object *object;
	struct err err = { 0 };
	struct json_get in = { .what = "readiness", .err = &err };

	if ((!ready && answer->status != HTTP_UNAVAILABLE) ||
	    json_parse(c->arena, answer->body, "readiness", &object, &err) == -1) {
		say_other_answer(c, answer->status);
		return;
	}
	in.obj = object;
	said = say_version(c, &in);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		said = say_part(c, &in, &parts[i], ready) || said;
	if (!ready)
		check_say(c, CHECK_CRITICAL, "the pool is not ready");
	else if (!said)
		check_say(c, CHECK_OK, "ready, also for nginx");
}

void
check_pool(struct checking *c)
{
	const struct https_get get = { .url = arena_printf(c->arena, "%s/-/readiness", c->monitoring),
		.plain = true,
		.ca_file = c->settings->ci_ca_file,
		.proxy = "",
		.proxy_except = "",
		.deadline_us = clock_us() + (int64_t)POOL_MS * CHECK_SLOWNESS * US };
	struct https_answer answer;
	struct err err = { 0 };

	if (https_get(c->arena, &get, &answer, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else
		say_readiness(c, &answer);
}

void
check_certificate(struct checking *c)
{
	char date[CLOCK_RFC3339_SIZE];
	enum check_state state;
	struct https_peer peer;
	struct err err = { 0 };
	int64_t left;

	if (https_peer(c->settings->external_url, (long)CERTIFICATE_MS * CHECK_SLOWNESS, &peer, &err) == -1) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	left = peer.not_after - (int64_t)time(NULL);
	state = check_below(c, left);
	clock_rfc3339((time_t)peer.not_after, date);
	if (!peer.named)
		check_say(c, CHECK_CRITICAL,
		    "the certificate of the server is not for the host of external_url = %s",
		    c->settings->external_url);
	if (left <= 0)
		check_say(
		    c, CHECK_CRITICAL, "%s expired at %s: renew it, and reload nginx", peer.expires, date);
	else
		check_say(c, state, "%s expires in %" PRId64 " days, at %s%s", peer.expires, left / DAY_S,
		    date, state == CHECK_OK ? "" : ": renew it, and reload nginx");
}

void
check_nginx(struct checking *c)
{
	struct err err = { 0 };

	if (nginx_modules_check(NGINX_MS * CHECK_SLOWNESS, &err) == 0) {
		if (nginx_reload_failed(NGINX_MS * CHECK_SLOWNESS))
			check_say(c, CHECK_WARNING, "the last `systemctl reload nginx` failed, so nginx may run with an "
			    "older configuration: correct what `nginx -t` reports, and run it again");
		else
			check_say(c, CHECK_OK, "has the modules that it needs, and its last reload has not failed");
	} else if (strstr(err.detail, "not found") != NULL)
		check_say(c, CHECK_NONE, "this host has no nginx");
	else
		check_say_error(c, CHECK_CRITICAL, &err);
}
