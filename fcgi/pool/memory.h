#ifndef POOL_MEMORY_H
#define POOL_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* Bytes of physical memory that this process does not share with others; 0: the process has ended. */
int64_t memory_of(pid_t);

#endif
