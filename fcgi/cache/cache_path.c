#include "cache/cache_path.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base62.h"

void
cache_path_namespace(char path[CACHE_PATH_SIZE], int64_t namespace)
{
	if (namespace > 0)
		snprintf(path, CACHE_PATH_SIZE, "project/%" PRId64, namespace);
	else
		snprintf(path, CACHE_PATH_SIZE, "group/%" PRId64, -namespace);
}

void
cache_path_extracts(char path[CACHE_PATH_SIZE], int64_t project_id)
{
	snprintf(path, CACHE_PATH_SIZE, "extract/%" PRId64, project_id);
}

/* Appends both to the path. */
static void
append(char path[CACHE_PATH_SIZE], const char *a, const char *b)
{
	size_t n = strlen(path);

	snprintf(path + n, CACHE_PATH_SIZE - n, "%s%s", a, b);
}

static void
index_path(char path[CACHE_PATH_SIZE], int64_t namespace, const char *name, const char *suffix)
{
	struct arena *a = arena_new();

	cache_path_namespace(path, namespace);
	append(path, "/index/", crate_name_index_path(a, slice_str(name)));
	append(path, suffix, "");
	arena_free(a);
}

int
cache_path_absent(char path[CACHE_PATH_SIZE], int64_t namespace, const char *name, struct err *err)
{
	if (crate_name_check(slice_str(name), "crate", err) == -1)
		return -1;
	index_path(path, namespace, name, ".absent");
	return 0;
}

int
cache_path_crate(char path[CACHE_PATH_SIZE], int64_t namespace, const char *name, struct err *err)
{
	if (crate_name_check(slice_str(name), "crate", err) == -1)
		return -1;
	cache_path_namespace(path, namespace);
	append(path, "/crates/", name);
	return 0;
}

int
cache_path_file(char path[CACHE_PATH_SIZE], const struct cache_file *f, struct err *err)
{
	struct semver version;

	if (f->name[0] == '\0') {
		cache_path_namespace(path, f->namespace);
		append(path, "/config.json", "");
		return 0;
	}
	if (cache_path_crate(path, f->namespace, f->name, err) == -1)
		return -1;
	if (f->version[0] == '\0') {
		index_path(path, f->namespace, f->name, ".gz");
		return 0;
	}
	if (semver_parse(slice_str(f->version), &version, err) == -1)
		return -1;
	append(path, "/", f->version);
	return 0;
}

void
cache_path_grant(char path[CACHE_PATH_SIZE], const char *epoch, const struct cache_who *who,
    int64_t namespace)
{
	if (namespace == 0)
		snprintf(path, CACHE_PATH_SIZE, "grant/%s/%s", epoch, who->name);
	else
		snprintf(path, CACHE_PATH_SIZE, namespace > 0 ? "grant/%s/%s/%" PRId64 : "grant/%s/%s/g%" PRId64,
		    epoch, who->name, namespace > 0 ? namespace : -namespace);
}

void
cache_path_pages(char path[CACHE_PATH_SIZE], const char *epoch)
{
	snprintf(path, CACHE_PATH_SIZE, "grant/%s/page", epoch);
}

bool
cache_epoch_valid(const char *epoch)
{
	size_t n = strnlen(epoch, CACHE_EPOCH_SIZE);

	return n > 0 && n < CACHE_EPOCH_SIZE && strspn(epoch, "0123456789abcdef-") == n;
}

/* Only what is part of an address, so that a path stays where it is. */
static bool
address_valid(const char *address)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return strspn(address, "0123456789abcdef:.") == strlen(address) &&
	    (inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1);
}

const char *
cache_who_address(const struct cache_who *who)
{
	size_t n = strlen(CACHE_NET);

	return strncmp(who->name, CACHE_NET, n) == 0 ? who->name + n : NULL;
}

bool
cache_who_at(struct cache_who *who, const char *address)
{
	if (!address_valid(address))
		return false;
	*who = (struct cache_who) { .name = CACHE_NET };
	stpcpy(who->name + strlen(CACHE_NET), address);
	return true;
}

bool
cache_who_valid(const char *who)
{
	size_t n = strlen(CACHE_NET);

	if (strncmp(who, CACHE_NET, n) == 0)
		return address_valid(who + n);
	return strcmp(who, CACHE_ANYONE) == 0 ||
	    (strlen(who) == TOKEN_HANDLE_SIZE - 1 && base62_valid(slice_str(who)));
}
