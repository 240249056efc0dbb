#ifndef CONFIG_COMMAND_H
#define CONFIG_COMMAND_H

#include <stddef.h>

#include "base/err.h"

/* The usual time limit of a command. */
enum { COMMAND_MS = 5000 };

/*
 * Runs the shell command, one of ours and never a text from elsewhere, for `ms` milliseconds at most.  PATH
 * has the directories for administrators, too.  `text` gets what it prints on both outputs, cut to fit.
 * -1: 500, it cannot be run, fails or takes longer; `detail` has the first line that it has printed, or its
 * status.
 */
int command_output(const char *command, int ms, char *text, size_t size, struct err *)
    __attribute__((warn_unused_result));

#endif
