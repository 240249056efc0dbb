#ifndef CONFIG_UNIT_LIMITS_H
#define CONFIG_UNIT_LIMITS_H

/*
 * The unit of systemd (conf/systemd/) lets the pool write only below some directories, and gives it some time
 * to stop.  Calls `tell` with a sentence for each configured path that neither these directories nor the
 * unit's ReadWritePaths include, and for a drain_timeout that TimeoutStopSec cuts short; the sentence has
 * the drop-in that helps.  False: there is nothing to look at, without systemd or without
 * the unit, or systemd does not answer within `ms` milliseconds.
 */

#include <stdbool.h>

#include "config/settings.h"

bool unit_limits_look(const struct settings *, int ms, void (*tell)(void *, const char *text), void *arg);

/* The same, of what `systemctl show` has printed, in the order of the names; `answer` is cut up. */
void unit_limits_judge(const struct settings *, char *answer, void (*tell)(void *, const char *text),
    void *arg);

#endif
