#include "store/db/migrations.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

#define FLOOR_HEAD "-- floor: "

const struct migration migrations[] = {
#define MIGRATION(version, topic, ...) \
	{ version, topic, (const char *const[]) { __VA_ARGS__, NULL } },
#include "store/migrations.inc"
#undef MIGRATION
};
const size_t nmigrations = sizeof(migrations) / sizeof(*migrations);

int64_t
migrations_newest(void)
{
	return migrations[nmigrations - 1].version;
}

void
migration_checksum(const struct migration *m, char out[MIGRATION_CHECKSUM_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	struct sha256 hash;
	bool good;

	(void)sha256_begin(&hash);
	for (const char *const *line = m->lines; *line != NULL; line++)
		(void)sha256_add(&hash, *line, strlen(*line));
	good = sha256_end(&hash, digest);
	/* SHA-256 of bytes in memory fails only for lack of memory */
	assert(good);
	hex_encode(digest, sizeof(digest), out);
}

int64_t
migration_floor(const struct migration *m)
{
	for (const char *const *line = m->lines; *line != NULL; line++) {
		if (strncmp(*line, FLOOR_HEAD, strlen(FLOOR_HEAD)) == 0)
			return strtoll(*line + strlen(FLOOR_HEAD), NULL, 10);
	}
	return m->version;
}
