#ifndef ADMIN_PINS_H
#define ADMIN_PINS_H

/* berth user pins, berth project pins, and the unpin of each (store/token/gitlab_pin.h). */

#include "admin/command.h"
#include "store/token/gitlab_pin.h"

int pins_list(struct invocation *, enum gitlab_pin_kind) __attribute__((warn_unused_result));
int pins_remove(struct invocation *, enum gitlab_pin_kind) __attribute__((warn_unused_result));

#endif
