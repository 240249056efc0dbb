#ifndef CRATE_INSPECT_VERDICT_H
#define CRATE_INSPECT_VERDICT_H

/*
 * The verdict of berth-inspect about one crate: the package that its manifest describes, or why it is
 * refused.  It is one JSON object on one line:
 *   {"accepted":true,"entries":3,"unpacked_size":4096,"package":{...}}
 *   {"accepted":false,"status":400,"error":"unexpected tar entry type ..."}
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

/* No verdict is longer. */
enum { VERDICT_MAX = 8 << 20 };

struct verdict {
	bool accepted;
	int status; /* of a refusal */
	const char *error; /* of a refusal: one sentence */
	int64_t entries;
	int64_t unpacked_size;
	struct package package;
};

/* Appends the JSON object and a newline. */
void verdict_encode(struct buf *, const struct verdict *);

/* Reads what verdict_encode wrote.  -1: 500; a verdict comes from our own program. */
int verdict_decode(struct arena *, struct slice text, struct verdict *, struct err *)
    __attribute__((warn_unused_result));

#endif
