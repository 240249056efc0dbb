#include "cache/cache_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "cache/cache_dir_own.h"
#include "crate/registry_config.h"

enum { PATH_MAX_SIZE = 1024 /* a longer one is not kept */ };

uint64_t
cache_page_begin(const struct cache_board *b)
{
	return b->pages_removed;
}

int
cache_page_remove(struct cache_dir *d, struct cache_board *b, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	/* the number comes first: see the beginning of cache_page.h */
	b->pages_removed++;
	b->pages_us = clock_us();
	b->pages = 0;
	if (cache_dir_epoch(d)[0] == '\0')
		return 0;
	cache_path_pages(path, cache_dir_epoch(d));
	return cache_dir_discard(d, path, err);
}

int
cache_page_told(struct cache_dir *d, struct cache_board *b, enum cache_message_kind kind, struct err *err)
{
	/* a page shows crates of several projects, as far as these are public */
	return kind == CACHE_INDEX || kind == CACHE_CRATE || kind == CACHE_PROJECT || kind == CACHE_EPOCH
	    ? cache_page_remove(d, b, err) : 0;
}

int
cache_page_renew(struct cache_dir *d, struct cache_board *b, int64_t seconds, struct err *err)
{
	return clock_us() - b->pages_us >= seconds * CLOCK_SECOND ? cache_page_remove(d, b, err) : 0;
}

/* Asks for a grant, with which the epoch begins. */
static void
ask_for_grant(const char *cache_dir, int64_t project_id)
{
	const struct cache_hint h = { .who.name = CACHE_ANYONE, .file.namespace = project_id };

	cache_dir_leave_hint(cache_dir, &h);
}

/* The directory of the pages, or -1. */
static int
open_pages(const char *cache_dir, int64_t project_id)
{
	struct arena *a = arena_new();
	const char *second = arena_printf(a, "%s/now/%lld", cache_dir, (long long)time(NULL));
	int now = open(second, O_RDONLY | O_DIRECTORY | O_CLOEXEC), pages = -1;

	arena_free(a);
	if (now == -1) {
		ask_for_grant(cache_dir, project_id);
		return -1;
	}
	if (mkdirat(now, "page", CACHE_DIR_MODE) == 0 || errno == EEXIST)
		pages = openat(now, "page", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	close(now);
	return pages;
}

void
cache_page_keep(const char *cache_dir, struct cache_board *b, uint64_t begun, int64_t project_id,
    const char *path, struct slice gzip)
{
	char name[PATH_MAX_SIZE], mine[32];
	time_t time;
	int pages;

	if (cache_dir[0] == '\0' || begun != b->pages_removed || b->pages >= CACHE_PAGES_MAX ||
	    snprintf(name, sizeof(name), "%s.html.gz", path) >= (int)sizeof(name))
		return;
	FAULT_POINT("page", "made");
	pages = open_pages(cache_dir, project_id);
	if (pages == -1)
		return;
	/* after the directory was opened: see the beginning of cache_page.h */
	if (begun == b->pages_removed) {
		FAULT_POINT("page", "looked");
		b->pages++;
		snprintf(mine, sizeof(mine), ".%ld", (long)getpid());
		/* it makes the ETag */
		time = (time_t)registry_config_time(gzip);
		/* the next request makes a page anew that the disk refuses */
		(void)!cache_dir_put(pages, mine, name, CACHE_FILE_MODE, gzip,
		    (struct timespec[]) { { .tv_sec = time }, { .tv_sec = time } });
		FAULT_POINT("page", "kept");
	}
	close(pages);
}
