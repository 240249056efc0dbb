#ifndef CONFIG_UNIT_PATHS_H
#define CONFIG_UNIT_PATHS_H

/*
 * The unit of systemd (conf/systemd/) lets the pool write only below some directories.  Tells of each
 * configured path that is elsewhere and that the unit's ReadWritePaths do not have either, and which drop-in
 * helps.  Silent without systemd, without the unit, or if systemd does not answer within `ms` milliseconds.
 */

#include "config/settings.h"

void unit_paths_look(const struct settings *, int ms, void (*tell)(void *, const char *text), void *arg);

#endif
