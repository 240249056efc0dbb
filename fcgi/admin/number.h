#ifndef ADMIN_NUMBER_H
#define ADMIN_NUMBER_H

/* Whole numbers as a person types them. */

#include <stdint.h>

#include "base/err.h"

/* 1 to 10^18 - 1, in digits alone.  -1: 400 "`x` is no <what>". */
int number_parse(const char *text, const char *what, int64_t *out, struct err *)
    __attribute__((warn_unused_result));

#endif
