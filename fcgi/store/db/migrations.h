#ifndef STORE_DB_MIGRATIONS_H
#define STORE_DB_MIGRATIONS_H

/* The schema's migrations, compiled in from sql/migrations/. */

#include <stddef.h>
#include <stdint.h>

/*
 * The head of a migration's file may make promises, one a line:
 *
 *	-- floor: NNNN   the oldest program that works with this schema, by that program's newest
 *	                 migration.  Without the line only programs work that have this migration.
 *	-- replaces: SHA-256   of an earlier text of the same file with the same effect.  A
 *	                 database that has that text is as good as one with this text.
 *
 * Its text may be several steps: see store/migrate/migrate_step.h.
 *
 * The floor of a schema is the highest floor of its migrations.
 */
struct migration {
	int64_t version;
	const char *topic;
	const char *const *lines; /* ends with NULL */
};

/* In the order of their versions. */
extern const struct migration migrations[];
extern const size_t nmigrations;

/* The version of the schema that this program works with. */
int64_t migrations_newest(void);

enum { MIGRATION_CHECKSUM_SIZE = 65 };

/* SHA-256 of the migration's text, in hexadecimal digits. */
void migration_checksum(const struct migration *, char out[MIGRATION_CHECKSUM_SIZE]);

/* The oldest program that works with the schema after this migration, by its newest migration. */
int64_t migration_floor(const struct migration *);

#endif
