#ifndef CRATE_XID_H
#define CRATE_XID_H

/* The characters that an identifier may have (Unicode Standard Annex 31), for names of features. */

#include <stdbool.h>
#include <stdint.h>

bool xid_start(uint32_t cp);
bool xid_continue(uint32_t cp);

#endif
