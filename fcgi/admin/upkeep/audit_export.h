#ifndef ADMIN_UPKEEP_AUDIT_EXPORT_H
#define ADMIN_UPKEEP_AUDIT_EXPORT_H

/*
 * What an export of the audit log, as `berth audit --json` prints it, tells about tokens and users that have
 * ended.  No database.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* What happens to a token or a user. */
enum exported_what { EXPORTED_MADE, EXPORTED_ENDS, EXPORTED_COMES_BACK };

struct exported_event {
	int64_t id, at; /* at: seconds since 1970 */
	size_t number; /* in the export */
	enum exported_what what;
};

/* Events in the order of the export. */
struct exported_events {
	struct exported_event *v;
	size_t n, room;
};

/* Begins as { .first_at = INT64_MAX }. */
struct audit_export {
	struct exported_events tokens, users;
	int64_t first_at; /* of the earliest event */
};

/* A token that has ended, or a user who was blocked. */
struct ended_id {
	int64_t id, made, ended; /* made: 0 where the export does not say */
};

/* Reads "2026-11-29T10:00:00.123456Z", without its fraction.  -1: 400. */
int audit_export_time(struct arena *, const char *text, int64_t *at, struct err *)
    __attribute__((warn_unused_result));

/*
 * Takes a line, without its newline.  `piece` is for what is needed meanwhile; `what` names the line in
 * errors.  -1: 400.
 */
int audit_export_take(struct audit_export *, struct arena *, struct arena *piece, struct slice line,
    const char *what, struct err *) __attribute__((warn_unused_result));

/*
 * Those that ended, in the order of their ids, without users who were let in again.  The events may come in
 * any order, since exports can be joined; they are sorted.
 */
struct ended_id *audit_export_ended(struct arena *, const struct exported_events *, size_t *n);

/* Does the list have the token or user of the database that has this id and was made at that time? */
bool audit_export_has_ended(const struct ended_id *, size_t n, int64_t id, int64_t made);

#endif
