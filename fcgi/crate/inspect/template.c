#include "crate/inspect/template.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

enum { NICE = 10 /* a tenth of the CPU time while others need it */ };

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
		while (waitpid(child, &report.status, 0) == -1 && errno == EINTR)
			continue;
		FAULT_POINT("inspect", "ended");
		/* the worker has gone, or does not go on with an inspector that has failed */
		if (job_report_send(socket, &report, err) == -1 || !job_is_judged(report.status))
			return 0;
	}
}
