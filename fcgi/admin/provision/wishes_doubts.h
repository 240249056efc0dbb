#ifndef ADMIN_PROVISION_WISHES_DOUBTS_H
#define ADMIN_PROVISION_WISHES_DOUBTS_H

/* What a file may ask for, and yet hardly means. */

#include "admin/provision/wishes.h"

/*
 * Call it when the wishes are fulfilled, in the same transaction.  *text: a line for each membership that has
 * ended already, and for each two users with one e-mail address, of whom the file names at least one.
 */
int wishes_doubts(const struct provision *, const struct wishes *, const char **text, struct err *)
    __attribute__((warn_unused_result));

#endif
