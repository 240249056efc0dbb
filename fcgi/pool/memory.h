#ifndef POOL_MEMORY_H
#define POOL_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* Bytes of this process that lie in memory and that no other process shares; 0: it is not there any more. */
int64_t memory_of(pid_t);

#endif
