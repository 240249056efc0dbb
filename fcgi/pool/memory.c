#include "pool/memory.h"

#include <stdio.h>
#include <unistd.h>

int64_t
memory_of(pid_t pid)
{
	long long size, resident, shared;
	char path[64];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* pages: all, in memory, and of these those of files and shared memory */
	n = fscanf(f, "%lld %lld %lld", &size, &resident, &shared);
	fclose(f);
	return n == 3 && resident > shared ? (resident - shared) * sysconf(_SC_PAGESIZE) : 0;
}
