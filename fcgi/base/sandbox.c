#include "base/sandbox.h"

#ifdef BERTH_SANITIZED

struct sandbox {
	char unused;
};

struct sandbox *
sandbox_new(struct arena *arena, struct err *err)
{
	(void)err;
	return arena_alloc(arena, sizeof(struct sandbox));
}

int
sandbox_enter(const struct sandbox *sandbox, const struct sandbox_limits *limits, struct err *err)
{
	(void)sandbox;
	(void)limits;
	(void)err;
	return 0;
}

#else

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct sandbox {
	struct sock_fprog program;
};

/* A call that stays allowed; with a mask, only where those bits of an argument are 0. */
struct allowance {
	int call;
	unsigned arg;
	scmp_datum_t forbidden_bits;
};

static const struct allowance allowances[] = {
	/* descriptors: only those that are open already */
	{ SCMP_SYS(read), 0, 0 },
	{ SCMP_SYS(lseek), 0, 0 },
	{ SCMP_SYS(_llseek), 0, 0 }, /* the same, where a register has 32 bits */
	{ SCMP_SYS(write), 0, 0 },
	/* memory: malloc; never anything that can be executed */
	{ SCMP_SYS(brk), 0, 0 },
	{ SCMP_SYS(mmap), 2, PROT_EXEC },
	{ SCMP_SYS(mmap2), 2, PROT_EXEC },
	{ SCMP_SYS(mremap), 0, 0 },
	{ SCMP_SYS(munmap), 0, 0 },
	{ SCMP_SYS(madvise), 0, 0 },
	/* qsort() in glibc, once: how much memory is there? */
	{ SCMP_SYS(sysinfo), 0, 0 },
	/* the time, where the kernel does not give it without a call */
	{ SCMP_SYS(clock_gettime), 0, 0 },
	{ SCMP_SYS(clock_gettime64), 0, 0 },
	/* a read that was stopped and goes on */
	{ SCMP_SYS(restart_syscall), 0, 0 },
	{ SCMP_SYS(rt_sigreturn), 0, 0 },
	{ SCMP_SYS(exit_group), 0, 0 },
};

static int
limits_set(const struct sandbox_limits *limits, struct err *err)
{
	const struct {
		const char *name;
		__rlimit_resource_t resource;
		rlim_t value;
	} table[] = {
		{ "RLIMIT_AS", RLIMIT_AS, limits->memory },
		{ "RLIMIT_CPU", RLIMIT_CPU, limits->cpu_seconds },
		{ "RLIMIT_CORE", RLIMIT_CORE, 0 },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE, limits->file_size },
		{ "RLIMIT_NOFILE", RLIMIT_NOFILE, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct rlimit now;
		struct rlimit expected = { table[i].value, table[i].value };

		if (getrlimit(table[i].resource, &now) == -1)
			return err_sys(err, "getrlimit %s", table[i].name);
		/* a limit that is lower already stays: raising it needs privileges */
		if (now.rlim_max != RLIM_INFINITY && now.rlim_max < expected.rlim_max)
			expected.rlim_cur = expected.rlim_max = now.rlim_max;
		if (setrlimit(table[i].resource, &expected) == -1)
			return err_sys(err, "setrlimit %s", table[i].name);
	}
	return 0;
}

/* What the kernel runs at each system call. */
static int
filter_compile(scmp_filter_ctx filter)
{
	int rc = filter == NULL ? -ENOMEM : 0;

	/* a tree: the kernel tries each system call when the filter is loaded, and a list takes a third longer */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; rc == 0 && i < sizeof(allowances) / sizeof(*allowances); i++) {
		const struct allowance *a = &allowances[i];

		rc = a->forbidden_bits == 0
		    ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, a->call, 0)
		    : seccomp_rule_add(filter, SCMP_ACT_ALLOW, a->call, 1,
			SCMP_CMP(a->arg, SCMP_CMP_MASKED_EQ, a->forbidden_bits, 0));
	}
	return rc;
}

/* libseccomp writes the program to a file only. */
static int
filter_export(scmp_filter_ctx filter, struct arena *arena, struct sock_fprog *program)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int rc = fd == -1 ? -errno : seccomp_export_bpf(filter, fd);
	off_t size = rc == 0 ? lseek(fd, 0, SEEK_END) : 0;

	if (rc == 0 && (size <= 0 || size > BPF_MAXINSNS * (off_t)sizeof(struct sock_filter)))
		rc = -EINVAL;
	if (rc == 0) {
		program->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
		program->filter = arena_alloc(arena, (size_t)size);
		if (pread(fd, program->filter, (size_t)size, 0) != size)
			rc = -EIO;
	}
	if (fd != -1)
		close(fd);
	return rc;
}

struct sandbox *
sandbox_new(struct arena *arena, struct err *err)
{
	struct sandbox *sandbox = arena_alloc(arena, sizeof(*sandbox));
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = filter_compile(filter);

	if (rc == 0)
		rc = filter_export(filter, arena, &sandbox->program);
	seccomp_release(filter);
	errno = -rc;
	if (rc == 0)
		return sandbox;
	(void)err_sys(err, "seccomp");
	return NULL;
}

int
sandbox_enter(const struct sandbox *sandbox, const struct sandbox_limits *limits, struct err *err)
{
	if (close_range(STDERR_FILENO + 1 + limits->descriptors, UINT_MAX, 0) == -1)
		return err_sys(err, "close_range");
	if (limits_set(limits, err) == -1)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_sys(err, "no_new_privs");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &sandbox->program) == -1)
		return err_sys(err, "seccomp");
	return 0;
}

#endif
