/* crate/inspect/job: what worker and inspector say to each other is read with bounds, by both. */
#include "crate/inspect/job.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

enum { HEAD = 32, SOURCE_HEAD = HEAD + 8, ENDS = 2 };

static struct err err;
static int worker, inspector; /* the ends of a socket */
static char message[JOB_MESSAGE_MAX + 1];

static const struct job good = { .number = 7,
	.limits = { .max_unpacked = 1000, .max_entries = 20, .folder = "foo-1.0.0" } };

/* The message of a job, with a change of n bytes at an offset, and of another length. */
static int
decode(const struct job *job, size_t offset, const void *change, size_t n, ssize_t longer)
{
	struct job out;
	size_t length = job_encode(job, message) + (size_t)longer;

	memcpy(message + offset, change, n);
	err_clear(&err);
	return job_decode(message, length, &out, &err);
}

static void
test_codec(void)
{
	char longest[JOB_FOLDER_MAX + 2] = "";
	struct job job = good, out;
	size_t n = job_encode(&good, message);
	const uint64_t numbers[] = { 0, UINT64_MAX, (uint64_t)INT64_MAX + 1, INSPECT_ENTRIES_MAX + 1 };

	is_int(n, HEAD + 9, "the length of a message, also to a pool of before");
	is_int(job_decode(message, n, &out, &err), 0, "it is read again");
	is_int(out.number, 7, "its number");
	is_int(out.limits.max_unpacked, 1000, "the bytes");
	is_int(out.limits.max_entries, 20, "the entries");
	is_str(out.limits.folder, "foo-1.0.0", "the folder");
	is_int(out.kind, JOB_INSPECT, "and what is to be done");
	ok(out.path == NULL, "to no file of it");
	for (n = 0; n <= HEAD; n++) {
		job_encode(&good, message);
		if (job_decode(message, n, &out, &err) != -1)
			break;
	}
	is_int(n, HEAD + 1, "a message that was cut is refused");

	memset(longest, 'x', JOB_FOLDER_MAX);
	job.limits.folder = longest;
	is_int(decode(&job, 0, "", 0, 0), 0, "the longest folder");
	is_int(decode(&job, 0, "", 0, 1), -1, "a byte more");
	longest[JOB_FOLDER_MAX] = 'x';
	is_int(job_encode(&job, message), 0, "nobody sends it");
	job.limits.folder = "";
	is_int(job_encode(&job, message), 0, "nor one without a name");

	is_int(decode(&good, 0, "x", 1, 0), -1, "something else");
	is_int(err.status, 500, "is an error of ours");
	is_int(decode(&good, 8, &numbers[0], 8, 0), -1, "job 0");
	is_int(decode(&good, 8, &numbers[1], 8, 0), 0, "the last job");
	is_int(decode(&good, 16, &numbers[0], 8, 0), -1, "no bytes");
	is_int(decode(&good, 16, &numbers[2], 8, 0), -1, "more bytes than a file can have");
	is_int(decode(&good, 24, &numbers[0], 8, 0), -1, "no entries");
	is_int(decode(&good, 24, &numbers[3], 8, 0), -1, "more entries than may be configured");
	is_int(decode(&good, HEAD, "", 1, 0), -1, "a folder with a NUL");
	is_int(decode(&good, HEAD + 2, "/", 1, 0), -1, "a folder in a folder");
}

/* One file of a crate. */
static void
test_path(void)
{
	char longest[JOB_PATH_MAX + 2] = "";
	struct job job = good, out;
	size_t n;

	job.kind = JOB_READ;
	is_int(job_encode(&job, message), 0, "a file without a name is not asked for");
	job.path = "src/lib.rs";
	n = job_encode(&job, message);
	is_int(n, SOURCE_HEAD + 9 + 10 + ENDS, "the length with a path");
	is_int(job_decode(message, n, &out, &err), 0, "it is read again");
	is_str(out.limits.folder, "foo-1.0.0", "the folder");
	is_str(out.path, "src/lib.rs", "the path");
	is_int(out.kind, JOB_READ, "to be read");
	is_int(decode(&job, SOURCE_HEAD + 12, "", 1, 0), -1, "a path with a NUL");
	is_int(decode(&job, SOURCE_HEAD + 2, "/", 1, 0), -1, "a folder in a folder");
	is_int(decode(&job, HEAD, "\4", 1, 0), -1, "nothing that is known");
	is_int(decode(&job, HEAD, "\0", 1, 0), -1, "an inspection in the form of another job");
	is_int(decode(&job, HEAD, "\1", 1, 0), -1, "a list with a path");
	for (size_t cut = 0; cut < n; cut++) {
		job_encode(&job, message);
		if (job_decode(message, cut, &out, &err) != -1)
			ok(false, "cut to %zu bytes, it is read", cut);
	}
	job.path = memset(longest, 'x', JOB_PATH_MAX);
	is_int(decode(&job, 0, "", 0, 0), 0, "the longest path");
	longest[JOB_PATH_MAX] = 'x';
	is_int(job_encode(&job, message), 0, "a longer one is not sent");
	job = good;
	job.kind = JOB_LIST;
	is_int(decode(&job, 0, "", 0, 0), 0, "all files");
	job.kind = JOB_DIFF;
	is_int(job_encode(&job, message), 0, "one crate is not compared");
	job.path = "foo-1.1.0";
	is_int(decode(&job, 0, "", 0, 0), 0, "two crates");
	is_int(decode(&job, SOURCE_HEAD + 12, "/", 1, 0), -1, "the other folder in a folder");
}

/* Sends bytes with so many descriptors, as no worker does. */
static void
send_raw(const void *bytes, size_t n, size_t nfds, int fd)
{
	int fds[8];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fds))] = { 0 };
	struct iovec part = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;

	for (size_t i = 0; i < 8; i++)
		fds[i] = fd;
	if (nfds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	ok(sendmsg(worker, &msg, 0) == (ssize_t)n, "sent");
}

/* How many descriptors this process has. */
static int
open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
test_jobs(void)
{
	int pipes[2], before, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char bytes[JOB_MESSAGE_MAX * 2], c = 0;
	struct job_fds fds;
	struct job out, diff = good;
	size_t n;

	diff.kind = JOB_DIFF;
	if (pipe(pipes) == -1)
		return;
	is_int(job_send(worker, &good, &(struct job_fds) { null, pipes[1] }, &err), 0, "a job is sent");
	is_int(job_receive(inspector, message, &out, &fds, &err), 1, "and received");
	is_str(out.limits.folder, "foo-1.0.0", "as it was");
	ok(write(fds.verdict, "v", 1) == 1 && read(pipes[0], &c, 1) == 1 && c == 'v', "with the verdict's pipe");
	is_int(read(fds.crate, &c, 1), 0, "and the crate");
	is_int(fcntl(fds.crate, F_GETFD), FD_CLOEXEC, "which no other program gets");
	close(fds.crate);
	close(fds.verdict);

	before = open_fds();
	n = job_encode(&good, bytes);
	for (size_t nfds = 0; nfds <= 8; nfds++) {
		if (nfds == 2)
			continue;
		send_raw(bytes, n, nfds, null);
		is_int(job_receive(inspector, message, &out, &fds, &err), -1, "another number of descriptors");
	}
	diff.path = "foo-1.1.0";
	diff.other = null;
	for (size_t nfds = 0; nfds <= 8; nfds++) {
		if (nfds == 3)
			continue;
		send_raw(message, job_encode(&diff, message), nfds, null);
		is_int(job_receive(inspector, message, &out, &fds, &err), -1, "another number for two crates");
	}
	is_int(job_send(worker, &diff, &(struct job_fds) { null, pipes[1] }, &err), 0, "two crates are sent");
	is_int(job_receive(inspector, message, &out, &fds, &err), 1, "and received");
	is_int(out.kind, JOB_DIFF, "to be compared");
	is_int(read(out.other, &c, 1), 0, "with the other one");
	close(fds.crate);
	close(fds.verdict);
	close(out.other);
	send_raw("nonsense", 8, 2, null);
	is_int(job_receive(inspector, message, &out, &fds, &err), -1, "nonsense");
	memset(bytes + n, 'x', sizeof(bytes) - n);
	send_raw(bytes, JOB_MESSAGE_MAX + 1, 2, null);
	is_int(job_receive(inspector, message, &out, &fds, &err), -1, "a longer message");
	is_int(open_fds(), before, "nothing of them stays open");
	close(pipes[0]);
	close(pipes[1]);
	close(null);
}

static void
test_reports(void)
{
	struct job_report out;
	char bytes[64] = "";

	is_int(job_report_send(inspector, &(struct job_report) { 3, 0x100 }, &err), 0, "a report is sent");
	is_int(job_report_receive(worker, &out, &err), 1, "and received");
	is_int(out.number, 3, "its number");
	is_int(out.status, 0x100, "its status");
	for (size_t n = 1; n < sizeof(bytes); n += 23) {
		ok(send(inspector, bytes, n, 0) == (ssize_t)n, "something else");
		is_int(job_report_receive(worker, &out, &err), -1, "is no report");
		is_int(err.status, 500, "but an error");
	}
	ok(job_is_judged(0x000) && job_is_judged(0x100), "accepted and refused are verdicts");
	ok(!job_is_judged(0x200) && !job_is_judged(9) && !job_is_judged(0x8b), "trouble and signals are none");
}

static void
test_ends(void)
{
	struct job_report report;
	struct job_fds fds = { 0, 1 };
	struct job out;

	close(worker);
	is_int(job_receive(inspector, message, &out, &fds, &err), 0, "the worker has gone");
	is_int(job_report_send(inspector, &(struct job_report) { 1, 0 }, &err), -1, "nobody hears a report");
	close(inspector);
	is_int(job_report_receive(inspector, &report, &err), -1, "no socket");
	is_int(job_receive(inspector, message, &out, &fds, &err), -1, "for neither");
}

int
main(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return 1;
	worker = ends[0];
	inspector = ends[1];
	test_codec();
	test_path();
	test_jobs();
	test_reports();
	test_ends();
	return tap_done();
}
