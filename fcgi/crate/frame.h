#ifndef CRATE_FRAME_H
#define CRATE_FRAME_H

/*
 * The body of a publish: u32le json_len, json, u32le crate_len, crate, and
 * nothing after it (Cargo reference, "Registry Web API: Publish").  Read as a
 * stream: bytes are pushed in pieces of any size; the JSON is collected, the
 * crate's bytes are handed on at once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum frame_state { FRAME_JSON_LEN, FRAME_JSON, FRAME_CRATE_LEN, FRAME_CRATE, FRAME_DONE };

struct frame {
	struct arena *arena;
	uint32_t max_json;
	uint32_t max_crate;
	enum frame_state state;
	unsigned char len[4];
	uint32_t have; /* bytes of the current part */
	uint32_t json_len;
	uint32_t crate_len;
	char *json; /* json_len bytes, whole once state > FRAME_JSON */
};

void frame_init(struct frame *, struct arena *, uint32_t max_json, uint32_t max_crate);

/*
 * Takes the next piece of `in` (advancing it) up to the next border between
 * parts.  *crate is set to bytes of the crate in this piece (n == 0: none).
 * Call until in->n == 0.  The caller can look at `state` between calls: once
 * it has left FRAME_JSON the metadata is whole and can be checked before any
 * of the crate is taken.
 * -1: 413 "JSON metadata blob too large: ..." (before any of it is stored), 413
 * frame_refuse_crate(), 400 for bytes after the crate.
 */
int frame_push(struct frame *, struct slice *in, struct slice *crate, struct err *)
    __attribute__((warn_unused_result));

/* Checks the lengths that were read against other limits.  -1: 413, as frame_push(). */
int frame_check(const struct frame *, uint32_t max_json, uint32_t max_crate, struct err *)
    __attribute__((warn_unused_result));

/* Refuses a crate that is larger than that.  Returns -1: 413 "max upload size is: N bytes...". */
int frame_refuse_crate(uint32_t max_crate, struct err *);

/*
 * The body has ended.  -1: 400 "invalid metadata length", "invalid metadata
 * length for remaining payload: N", "invalid tarball length", "invalid tarball
 * length for remaining payload: N".
 */
int frame_end(const struct frame *, struct err *) __attribute__((warn_unused_result));

#endif
