#include "crate/inspect/job.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Another program, or another version of this one, says something else. */
#define JOB_MAGIC    UINT64_C(0x31626f6a74726562)
#define SOURCE_MAGIC UINT64_C(0x32626f6a74726562)
#define REPORT_MAGIC UINT64_C(0x3174706574726562)

enum { NFDS_MAX = 3 };

/*
 * The first bytes of a job.  Behind those of an inspection comes its folder: a pool of an earlier build sends
 * the same while it waits for its restart.  Behind those of other jobs come struct source_head, and folder
 * and path, each with a NUL at its end.
 */
struct head {
	uint64_t magic, number, max_unpacked, max_entries;
};

struct source_head {
	uint64_t kind;
};

enum { ENDS = 2 /* NULs of folder and path */ };

struct report {
	uint64_t magic, number;
	int64_t status;
};

_Static_assert(sizeof(struct head) + sizeof(struct source_head) + JOB_FOLDER_MAX + JOB_PATH_MAX + ENDS <=
    JOB_MESSAGE_MAX, "a message has heads, folder and path");

/* Room for the descriptors of a job. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(NFDS_MAX * sizeof(int))];
};

static size_t
nfds_of(const struct job *job)
{
	return job->kind == JOB_DIFF ? NFDS_MAX : NFDS_MAX - 1;
}

static bool
has_path(enum job_kind kind)
{
	return kind == JOB_READ || kind == JOB_DIFF;
}

bool
job_is_judged(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) <= JOB_REFUSED;
}

/* Puts the parts one behind the other; returns their length. */
static size_t
join(char *to, const struct slice *parts, size_t n)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		memcpy(to + length, parts[i].p, parts[i].n);
		length += parts[i].n;
	}
	return length;
}

size_t
job_encode(const struct job *job, char message[JOB_MESSAGE_MAX])
{
	const bool inspects = job->kind == JOB_INSPECT;
	const struct head head = { inspects ? JOB_MAGIC : SOURCE_MAGIC, job->number, job->limits.max_unpacked,
		job->limits.max_entries };
	const struct source_head source = { (uint64_t)job->kind };
	const char *path = job->path != NULL ? job->path : "";
	size_t folder = strlen(job->limits.folder), n = strlen(path);
	const struct slice parts[] = { slice_of((const char *)&head, sizeof(head)),
		slice_of((const char *)&source, inspects ? 0 : sizeof(source)),
		slice_of(job->limits.folder, folder + !inspects), slice_of(path, inspects ? 0 : n + 1) };

	if (folder == 0 || folder > JOB_FOLDER_MAX || n > JOB_PATH_MAX || has_path(job->kind) != (n > 0))
		return 0;
	return join(message, parts, sizeof(parts) / sizeof(*parts));
}

static bool
in_range(uint64_t n, uint64_t max)
{
	return n >= 1 && n <= max;
}

static bool
folder_valid(const char *folder, size_t n)
{
	return n > 0 && n <= JOB_FOLDER_MAX && strlen(folder) == n && strchr(folder, '/') == NULL;
}

/* What comes behind the head of another job than an inspection: n bytes, and a NUL behind them. */
static int
source_decode(char *rest, size_t n, struct job *job, struct err *err)
{
	struct source_head head;
	char *folder = rest + sizeof(head), *path;

	if (n <= sizeof(head))
		return err_internal(err, 500, "a job that ends too soon");
	memcpy(&head, rest, sizeof(head));
	if (head.kind == JOB_INSPECT || head.kind >= JOB__KINDS)
		return err_internal(err, 500, "a job of an unknown kind");
	path = folder + strlen(folder) + 1;
	if (path >= rest + n || !folder_valid(folder, strlen(folder)))
		return err_internal(err, 500, "a job with a malformed folder");
	job->kind = (enum job_kind)head.kind;
	if (path + strlen(path) + 1 != rest + n || strlen(path) > JOB_PATH_MAX ||
	    has_path(job->kind) != (path[0] != '\0') ||
	    (job->kind == JOB_DIFF && !folder_valid(path, strlen(path))))
		return err_internal(err, 500, "a job with a malformed path");
	job->limits.folder = folder;
	job->path = path[0] != '\0' ? path : NULL;
	return 0;
}

int
job_decode(char *message, size_t n, struct job *job, struct err *err)
{
	struct head head;

	if (n <= sizeof(head) || n > JOB_MESSAGE_MAX)
		return err_internal(err, 500, "a job of %zu bytes", n);
	memcpy(&head, message, sizeof(head));
	message[n] = '\0';
	n -= sizeof(head);
	if (head.magic != JOB_MAGIC && head.magic != SOURCE_MAGIC)
		return err_internal(err, 500, "not the message of a job; are pool and inspector of one version?");
	if (head.number == 0 || !in_range(head.max_unpacked, INT64_MAX) ||
	    !in_range(head.max_entries, INSPECT_ENTRIES_MAX))
		return err_internal(err, 500, "a job with a number out of range");
	*job = (struct job) {
		.number = head.number,
		.limits = { head.max_unpacked, head.max_entries, message + sizeof(head) },
		.other = -1,
	};
	if (head.magic == SOURCE_MAGIC)
		return source_decode(message + sizeof(head), n, job, err);
	return folder_valid(job->limits.folder, n) ? 0 : err_internal(err, 500, "a job with a malformed folder");
}

int
job_send(int socket, const struct job *job, const struct job_fds *fds, struct err *err)
{
	const int fd[NFDS_MAX] = { fds->crate, fds->verdict, job->other };
	const size_t nfds = nfds_of(job);
	char message[JOB_MESSAGE_MAX];
	union control control = { .bytes = { 0 } };
	struct iovec part = { message, job_encode(job, message) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(nfds * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (part.iov_len == 0)
		return err_internal(err, 500, "no folder, or a name that no folder can have");
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
	memcpy(CMSG_DATA(c), fd, nfds * sizeof(int));
	return TEMP_FAILURE_RETRY(sendmsg(socket, &msg, MSG_NOSIGNAL)) == -1 ? err_sys(err, "send a job") : 0;
}

/* The descriptors that came with a message, at most NFDS_MAX; returns how many. */
static size_t
fds_take(struct msghdr *msg, int fd[NFDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || n > 0)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fd, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

int
job_receive(int socket, char message[JOB_MESSAGE_MAX + 1], struct job *job, struct job_fds *fds,
    struct err *err)
{
	union control control = { .bytes = { 0 } };
	struct iovec part = { message, JOB_MESSAGE_MAX };
	/* the padding of three descriptors has room for a fourth */
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = CMSG_LEN(NFDS_MAX * sizeof(int)) };
	int fd[NFDS_MAX] = { -1, -1, -1 }, rc = -1;
	size_t nfds;
	ssize_t n;

	n = TEMP_FAILURE_RETRY(recvmsg(socket, &msg, MSG_CMSG_CLOEXEC));
	if (n <= 0)
		return n == 0 ? 0 : err_sys(err, "receive a job");
	nfds = fds_take(&msg, fd);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		err_internal(err, 500, "a job that is too long, or has more than %d descriptors", NFDS_MAX);
	else
		rc = job_decode(message, (size_t)n, job, err);
	if (rc == 0 && nfds != nfds_of(job))
		rc = err_internal(err, 500, "a job that has %zu descriptors instead of %zu", nfds, nfds_of(job));
	for (size_t i = 0; rc == -1 && i < nfds; i++)
		close(fd[i]);
	*fds = (struct job_fds) { fd[0], fd[1] };
	if (rc == 0)
		job->other = fd[2];
	return rc == -1 ? -1 : 1;
}

int
job_report_send(int socket, const struct job_report *report, struct err *err)
{
	const struct report message = { REPORT_MAGIC, report->number, report->status };

	return TEMP_FAILURE_RETRY(send(socket, &message, sizeof(message), MSG_NOSIGNAL)) == -1
	    ? err_sys(err, "send a report") : 0;
}

int
job_report_receive(int socket, struct job_report *report, struct err *err)
{
	struct report message;
	/* the length that it has, also where that is more than there is room for */
	ssize_t n = TEMP_FAILURE_RETRY(recv(socket, &message, sizeof(message), MSG_TRUNC));

	if (n == -1)
		return err_sys(err, "receive a report");
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(message) || message.magic != REPORT_MAGIC ||
	    message.status < INT32_MIN || message.status > INT32_MAX)
		return err_internal(err, 500, "the inspector's report is malformed");
	*report = (struct job_report) { message.number, (int)message.status };
	return 1;
}
