#include "pool/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int64_t
memory_of(pid_t pid)
{
	char path[64], line[128], *end;
	long long resident, shared;
	bool read;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	read = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	if (!read)
		return 0;
	/* pages: all, in memory, and of these those of files and shared memory */
	(void)strtoll(line, &end, 10);
	resident = strtoll(end, &end, 10);
	shared = strtoll(end, &end, 10);
	return resident > shared ? (resident - shared) * sysconf(_SC_PAGESIZE) : 0;
}
