#include "admin/provision/quota_words.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "admin/provision/setting_error.h"
#include "config/conf.h"

enum { KILO = 1024 };

struct given {
	int64_t max[QUOTA__MAX];
};

static const struct conf_key keys[QUOTA__MAX] = {
	[QUOTA_BYTES] = { .name = "quota_bytes", .type = CONF_SIZE, .max = INT64_MAX,
	    .offset = offsetof(struct given, max[QUOTA_BYTES]) },
	[QUOTA_VERSIONS] = { .name = "quota_versions", .type = CONF_INT, .max = INT64_MAX,
	    .offset = offsetof(struct given, max[QUOTA_VERSIONS]) },
	[QUOTA_CRATES] = { .name = "quota_crates", .type = CONF_INT, .max = INT64_MAX,
	    .offset = offsetof(struct given, max[QUOTA_CRATES]) },
};

static int
find(struct slice key)
{
	int i = 0;

	while (i < QUOTA__MAX && !slice_is(key, quota_keys[i]))
		i++;
	return i;
}

bool
quota_words_is_key(struct slice key)
{
	return find(key) < QUOTA__MAX;
}

int
quota_words_parse(struct arena *a, enum quota_kind kind, const char *value, int64_t *max,
    struct err *err)
{
	struct given given = { 0 };
	const char *wrong;

	*max = QUOTA_NONE;
	if (value[0] == '\0' || strcmp(value, "default") == 0)
		return 0;
	wrong = conf_set(a, &keys[kind], value, &given);
	if (wrong != NULL)
		return setting_error(&keys[kind], value, wrong, err);
	*max = given.max[kind];
	return 0;
}

const char *
quota_words_size(struct arena *a, const char *bytes)
{
	static const char units[] = "kmg";
	int64_t n = strtoll(bytes, NULL, 10);
	int unit = -1;

	while (n > 0 && n % KILO == 0 && unit < (int)sizeof(units) - 2) {
		n /= KILO;
		unit++;
	}
	return unit == -1 ? bytes : arena_printf(a, "%" PRId64 "%c (%s)", n, units[unit], bytes);
}

int
quota_words_read(struct arena *a, const char *const *words, size_t n, int64_t *max, bool *any,
    struct err *err)
{
	*any = false;
	for (int i = 0; i < QUOTA__MAX; i++)
		max[i] = INT64_MIN;
	for (size_t i = 0; i < n; i++) {
		size_t equals = strcspn(words[i], "=");
		int kind = find(slice_of(words[i], equals));

		if (kind == QUOTA__MAX || words[i][equals] == '\0')
			continue;
		*any = true;
		if (quota_words_parse(a, (enum quota_kind)kind, words[i] + equals + 1, &max[kind], err) == -1)
			return -1;
	}
	return 0;
}
