#include "base/seats.h"

#include <fcntl.h>
#include <sys/mman.h>

int
seats_new(void)
{
	return memfd_create("seats", MFD_CLOEXEC);
}

/* These locks belong to a process, also where it shares the descriptor with others. */
static int
lock_set(int seats, int seat, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = seat, .l_len = 1 };

	return fcntl(seats, F_SETLK, &lock);
}

int
seats_take(int seats, int n)
{
	for (int seat = 0; seat < n; seat++) {
		if (lock_set(seats, seat, F_WRLCK) == 0)
			return seat;
	}
	return -1;
}

void
seats_leave(int seats, int seat)
{
	(void)lock_set(seats, seat, F_UNLCK);
}
