/* store/blob/store_node: the name of a node, also on a host without a name. */
#include "store/blob/store_node.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static const char *host; /* NULL: the system does not tell it */

/* Replaces the function of the C library: only root could give the host an empty name. */
int
gethostname(char *name, size_t size)
{
	size_t n = host != NULL ? strlen(host) : 0;

	errno = EFAULT;
	if (host == NULL)
		return -1;
	memcpy(name, host, n < size ? n + 1 : size);
	errno = ENAMETOOLONG;
	return n < size ? 0 : -1;
}

static void
is_named(const char *configured, const char *host_name, const char *want, const char *what)
{
	char name[STORE_NODE_NAME_SIZE];

	memset(name, 'x', sizeof(name));
	host = host_name;
	store_node_name(configured, name);
	is_str(name, want, what);
}

int
main(void)
{
	char longer[2 * STORE_NODE_NAME_SIZE], whole[STORE_NODE_NAME_SIZE];

	memset(longer, 'n', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	snprintf(whole, sizeof(whole), "%.*s", STORE_NODE_NAME_SIZE - 1, longer);
	is_named("berth-1", "host", "berth-1", "the configuration names the node");
	is_named("", "host", "host", "else the host does");
	is_named("", "", "localhost", "a host without a name");
	is_named("", NULL, "localhost", "a host whose name nobody can read");
	is_named("", longer, "localhost", "a host whose name is too long");
	is_named(longer, "host", whole, "a configured name is cut where it is too long");
	return tap_done();
}
