#include "pool/backlog.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MAX = 512 };

int
backlog_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
}

/* Sends the question for the one socket with this inode. */
static int
ask(int fd, ino_t inode)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req request;
	} q = {
		.head = { .nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.request = { .sdiag_family = AF_UNIX, .udiag_states = UINT32_MAX, .udiag_ino = (uint32_t)inode,
		    .udiag_show = UDIAG_SHOW_RQLEN, .udiag_cookie = { UINT32_MAX, UINT32_MAX } },
	};

	return send(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q) ? 0 : -1;
}

/* Finds the attribute with the lengths in n bytes of an answer. */
static int
find_lengths(const char *answer, size_t n, struct unix_diag_rqlen *lengths)
{
	size_t at = NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct unix_diag_msg)));
	struct nlmsghdr head;

	if (n < sizeof(head))
		return -1;
	memcpy(&head, answer, sizeof(head));
	if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > n)
		return -1;
	while (at + sizeof(struct rtattr) <= head.nlmsg_len) {
		struct rtattr attribute;

		memcpy(&attribute, answer + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || at + attribute.rta_len > head.nlmsg_len)
			return -1;
		if (attribute.rta_type == UNIX_DIAG_RQLEN && attribute.rta_len >= RTA_LENGTH(sizeof(*lengths))) {
			memcpy(lengths, answer + at + RTA_LENGTH(0), sizeof(*lengths));
			return 0;
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
	return -1;
}

int
backlog_read(int fd, int listen_fd, int64_t *waiting, int64_t *most)
{
	struct unix_diag_rqlen lengths;
	char answer[ANSWER_MAX];
	struct stat st;
	ssize_t n;

	/* the kernel has answered when send() returns */
	if (fstat(listen_fd, &st) == -1 || ask(fd, st.st_ino) == -1)
		return -1;
	n = recv(fd, answer, sizeof(answer), 0);
	if (n <= 0 || find_lengths(answer, (size_t)n, &lengths) == -1)
		return -1;
	*waiting = lengths.udiag_rqueue;
	*most = lengths.udiag_wqueue;
	return 0;
}
