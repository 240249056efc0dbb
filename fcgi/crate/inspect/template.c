#include "crate/inspect/template.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

enum { NICE = 10 /* a tenth of the CPU time while others need it */ };

#ifndef BERTH_SANITIZED

/* What libarchive has for formats other than tar, and what those libraries need. */
static const char *const unneeded[] = { "libacl.so.", "libbz2.so.", "libgcc_s.so.", "libicudata.so.",
	"libicuuc.so.", "liblz4.so.", "liblzma.so.", "libnettle.so.", "libstdc++.so.", "libxml2.so.",
	"libzstd.so." };

/* What the program needs itself. */
static const char *const needed[] = { "ld-linux", "libarchive.so.", "libc.so.", "libcrypto.so.",
	"libdeflate.so.", "libjson-c.so.", "libm.so.", "libseccomp.so.", "libz.so.", "linux-vdso" };

static bool
is_among(const char *path, const char *const *names, size_t n)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; i < n; i++) {
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

static bool
is_unneeded(const struct dl_phdr_info *info)
{
	return is_among(info->dlpi_name, unneeded, sizeof(unneeded) / sizeof(*unneeded));
}

/* Is the library in neither list?  The program itself has no name. */
static int
library_is_strange(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	return info->dlpi_name[0] != '\0' && !is_unneeded(info) &&
	    !is_among(info->dlpi_name, needed, sizeof(needed) / sizeof(*needed));
}

static int
library_unmap(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = UINTPTR_MAX, end = 0;

	(void)size;
	(void)arg;
	for (size_t i = 0; is_unneeded(info) && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD)
			continue;
		if (info->dlpi_addr + part->p_vaddr < start)
			start = info->dlpi_addr + part->p_vaddr;
		if (info->dlpi_addr + part->p_vaddr + part->p_memsz > end)
			end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
	}
	start -= start % page;
	/* where this fails, the library stays */
	if (start < end)
		(void)munmap((void *)start, end - start);
	return 0;
}

/*
 * Removes the libraries from memory whose code this program never calls.  Hostile bytes cannot reach that
 * code then, and fork() and exit take less time.  The loader must have bound all symbols at the start,
 * since at a later lookup it would search these libraries, too.  The process must end with _exit(), since
 * exit() would call their destructors.  If a library is loaded that is in neither list, such as a
 * provider that openssl.cnf names, it may call them, and all stay.
 */
static void
libraries_unmap(void)
{
	const char *bind_now = getenv("LD_BIND_NOW");

	/* the loader takes an empty value for none */
	if (bind_now != NULL && bind_now[0] != '\0' && dl_iterate_phdr(library_is_strange, NULL) == 0)
		(void)dl_iterate_phdr(library_unmap, NULL);
}

#else

static void
libraries_unmap(void)
{
}

#endif

/* The process ends with its parent, whatever it does then. */
static int
parent_follow(struct err *err)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ? err_sys(err, "the parent's death") : 0;
}

static int
template_prepare(int socket, struct err *err)
{
	int type = 0;
	socklen_t n = sizeof(type);

	if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &n) == -1 || type != SOCK_SEQPACKET)
		return err_internal(err, 500, "standard input is not the socket of a worker of berth-fcgi");
	/* a worker that has died already has closed the socket */
	if (parent_follow(err) == -1)
		return -1;
	libraries_unmap();
	/* children inherit it */
	return setpriority(PRIO_PROCESS, 0, NICE) == -1 ? err_sys(err, "priority") : 0;
}

/* In a child: takes the one job that this process will ever do. */
static int
job_take(int socket, uint64_t number, char *message, struct job *job, struct err *err)
{
	struct job_fds fds;
	int rc;

	FAULT_POINT("inspect", "forked");
	rc = job_receive(socket, message, job, &fds, err);
	if (rc != 1)
		return rc;
	close(socket);
	if (job->number != number)
		return err_internal(err, 500, "job %llu was handed to the inspector of job %llu",
		    (unsigned long long)job->number, (unsigned long long)number);
	/* a descriptor that has the right number already would be closed on exec, which never happens */
	if (dup2(fds.crate, STDIN_FILENO) == -1 || dup2(fds.verdict, STDOUT_FILENO) == -1 ||
	    (job->kind == JOB_DIFF && dup2(job->other, TEMPLATE_OTHER) == -1))
		return err_sys(err, "descriptors of a job");
	FAULT_POINT("inspect", "taken");
	return 1;
}

int
template_run(int socket, char message[JOB_MESSAGE_MAX + 1], struct job *job, struct err *err)
{
	pid_t template = getpid();

	if (template_prepare(socket, err) == -1)
		return -1;
	for (uint64_t number = 1;; number++) {
		struct job_report report = { .number = number };
		pid_t child = fork();

		if (child == -1)
			return err_sys(err, "fork");
		if (child == 0) {
			if (parent_follow(err) == -1)
				return -1;
			/* the template has died before this process could follow it */
			if (getppid() != template)
				return 0;
			return job_take(socket, number, message, job, err);
		}
		(void)TEMP_FAILURE_RETRY(waitpid(child, &report.status, 0));
		FAULT_POINT("inspect", "ended");
		/* the worker has gone, or does not go on with an inspector that has failed */
		if (job_report_send(socket, &report, err) == -1 || !job_is_judged(report.status))
			return 0;
	}
}
