#ifndef ADMIN_PROVISION_WISHES_DOUBTS_H
#define ADMIN_PROVISION_WISHES_DOUBTS_H

/* Warnings about what is allowed in a file, but is probably a mistake. */

#include "admin/provision/wishes.h"

/*
 * Call it when the wishes are fulfilled, in the same transaction.  *text has a line for each membership that
 * has already ended; for each pair of users with the same e-mail address, if the file names one of them; and
 * for each issuer whose URL differs from that of another only by the slash at the end.
 */
int wishes_doubts(const struct provision *, const struct wishes *, const char **text, struct err *)
    __attribute__((warn_unused_result));

#endif
