#ifndef ADMIN_OPERATOR_H
#define ADMIN_OPERATOR_H

/* Whoever runs the command, for the audit rows of what it changes. */

#include "store/audit.h"

/*
 * The system user whose process this is, the user who came by sudo(8), the machine.  The
 * second is what the environment says: good for looking back, no proof.
 */
struct audit_actor operator_actor(struct arena *);

#endif
