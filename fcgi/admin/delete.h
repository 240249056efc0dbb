#ifndef ADMIN_DELETE_H
#define ADMIN_DELETE_H

/* Messages of the commands that delete versions. */

#include <stddef.h>

#include "admin/command.h"

/* Says on standard error that n versions are deleted, which command brings one back, and until when. */
void delete_say(const struct invocation *, const char *project, size_t n);

#endif
