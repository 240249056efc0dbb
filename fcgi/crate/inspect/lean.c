#include "crate/inspect/lean.h"

#ifdef BERTH_SANITIZED

bool
lean_set(bool lean)
{
	(void)lean;
	return false;
}

#else

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

/* A function of each library that an inspection calls. */
static const char *const called[] = { "archive_read_new", "inflate", "EVP_DigestUpdate", "json_object_get",
	"getpid" };

enum { CALLED = sizeof(called) / sizeof(*called), KEPT = CALLED + 3 };

/* What is to be done with each library. */
struct plan {
	bool lean;
	uintptr_t kept[KEPT]; /* an address in each that children have */
	bool misses; /* a child misses one */
};

/* The memory of one library, in whole pages. */
struct range {
	uintptr_t start, end;
};

static struct range
range_of(const struct dl_phdr_info *library)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct range r = { UINTPTR_MAX, 0 };

	for (size_t i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t start = library->dlpi_addr + part->p_vaddr, end = start + part->p_memsz;

		if (part->p_type != PT_LOAD)
			continue;
		r.start = start < r.start ? start : r.start;
		r.end = end > r.end ? end : r.end;
	}
	r.start &= ~(page - 1);
	r.end = (r.end + page - 1) & ~(page - 1);
	return r;
}

static int
library_set(struct dl_phdr_info *library, size_t size, void *arg)
{
	struct plan *plan = arg;
	const struct range r = range_of(library);

	(void)size;
	for (size_t i = 0; i < KEPT; i++) {
		if (plan->kept[i] >= r.start && plan->kept[i] < r.end)
			return 0;
	}
	/* between its parts may be pages of nobody: that is an error only after all others were marked */
	(void)madvise((void *)r.start, r.end - r.start, plan->lean ? MADV_DONTFORK : MADV_DOFORK);
	plan->misses = plan->lean;
	return 0;
}

bool
lean_set(bool lean)
{
	/* the program, its loader, and what the kernel adds */
	struct plan plan = { .lean = lean, .kept = { [CALLED] = (uintptr_t)called,
		[CALLED + 1] = getauxval(AT_BASE), [CALLED + 2] = getauxval(AT_SYSINFO_EHDR) } };

	for (size_t i = 0; i < CALLED; i++) {
		plan.kept[i] = (uintptr_t)dlsym(RTLD_DEFAULT, called[i]);
		if (plan.kept[i] == 0)
			return false;
	}
	(void)dl_iterate_phdr(library_set, &plan);
	return plan.misses;
}

#endif
