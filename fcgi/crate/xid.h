#ifndef CRATE_XID_H
#define CRATE_XID_H

/* Which characters an identifier may have (Unicode Standard Annex 31): rules for feature names. */

#include <stdbool.h>
#include <stdint.h>

bool xid_start(uint32_t cp);
bool xid_continue(uint32_t cp);

#endif
