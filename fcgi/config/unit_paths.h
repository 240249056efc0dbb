#ifndef CONFIG_UNIT_PATHS_H
#define CONFIG_UNIT_PATHS_H

/*
 * The unit of systemd (conf/systemd/) lets the pool write only below some directories.  Warns on standard
 * error, for the program of this name, of a configured path that is elsewhere and that the unit's
 * ReadWritePaths do not have either, and says which drop-in helps.  Silent without systemd, or without the
 * unit.
 */

#include "config/settings.h"

void unit_paths_warn(const char *program, const struct settings *);

#endif
