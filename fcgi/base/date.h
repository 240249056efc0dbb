#ifndef BASE_DATE_H
#define BASE_DATE_H

/* Dates as a person types them. */

#include <stdint.h>

#include "base/err.h"

/*
 * "2027-01-31": the moment at which that day begins in UTC; or a moment,
 * "2027-01-31T12:00:00Z".  Years 1971 to 9999.  -1: 400.
 */
int date_parse(const char *, int64_t *seconds, struct err *) __attribute__((warn_unused_result));

/* The date at which something ends, as date_parse().  -1: 400, also if the date is not later than now. */
int date_parse_end(const char *, int64_t now, int64_t *seconds, struct err *)
    __attribute__((warn_unused_result));

#endif
