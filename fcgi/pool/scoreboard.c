#include "pool/scoreboard.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

struct slot *
scoreboard_map(int fd, size_t n)
{
	void *p = mmap(NULL, n * sizeof(struct slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct slot *
scoreboard_new(size_t n, int *fd)
{
	struct slot *slots = NULL;

	*fd = memfd_create("scoreboard", MFD_CLOEXEC);
	if (*fd == -1)
		return NULL;
	/* the pages are zeroed: each slot is in SLOT_STARTING with no requests */
	if (ftruncate(*fd, (off_t)(n * sizeof(struct slot))) == 0)
		slots = scoreboard_map(*fd, n);
	if (slots == NULL)
		close(*fd);
	return slots;
}

void
scoreboard_free(struct slot *slots, size_t n)
{
	munmap(slots, n * sizeof(struct slot));
}

void
slot_start(struct slot *s)
{
	s->busy_since_us = 0;
	s->served = 0;
	s->deferred = 0;
	s->state = SLOT_STARTING;
}

void
slot_idle(struct slot *s)
{
	s->state = SLOT_READY;
}

void
slot_busy(struct slot *s)
{
	/* the time first: the master must not see a busy worker with an old one */
	s->busy_since_us = clock_us();
	s->state = SLOT_BUSY;
}

void
slot_stop(struct slot *s)
{
	s->state = SLOT_STOPPING;
}

int64_t
slot_busy_us(const struct slot *s)
{
	return s->state == SLOT_BUSY ? clock_us() - s->busy_since_us : 0;
}
