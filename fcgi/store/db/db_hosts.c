#include "store/db/db_hosts.h"

#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

enum { HOST, ADDRESS, PORT, NLISTS };

static const char *const keywords[NLISTS] = { [HOST] = "host", [ADDRESS] = "hostaddr", [PORT] = "port" };

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) == 0)
			return options->val != NULL ? options->val : "";
	}
	return "";
}

/* Cuts the list into its elements, and counts them; one too many is none. */
static size_t
split(char *list, const char **out)
{
	size_t n = 0;

	if (list[0] == '\0')
		return 0;
	for (char *next = list; next != NULL; n++) {
		char *element = strsep(&next, ",");

		if (n == DB_HOSTS_MAX)
			return 0;
		out[n] = element;
	}
	return n;
}

static void
read_options(struct db_hosts *hosts, const PQconninfoOption *options)
{
	const char **const out[NLISTS] = { hosts->host, hosts->address, hosts->port };
	size_t n[NLISTS], most;

	for (size_t i = 0; i < NLISTS; i++) {
		hosts->lists[i] = strdup(value_of(options, keywords[i]));
		if (hosts->lists[i] == NULL)
			abort();
		n[i] = split(hosts->lists[i], out[i]);
	}
	most = n[HOST] > n[ADDRESS] ? n[HOST] : n[ADDRESS];
	if (most < 2 || strcmp(value_of(options, "target_session_attrs"), "prefer-standby") == 0)
		return;
	for (size_t i = 0; i < most; i++) {
		const char *host = n[HOST] == 0 ? "" : hosts->host[i];
		const char *address = n[ADDRESS] == 0 ? "" : hosts->address[i];

		/* libpq has its own default for an empty one, and complains of lists that do not fit */
		if (host[0] == '\0' && address[0] == '\0')
			return;
		hosts->host[i] = host;
		hosts->address[i] = address;
		hosts->port[i] = n[PORT] == 0 ? "" : n[PORT] == 1 ? hosts->port[0] : hosts->port[i];
	}
	if (n[PORT] < 2 || n[PORT] == most)
		hosts->n = most;
}

void
db_hosts_read(struct db_hosts *hosts, const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	*hosts = (struct db_hosts) { .n = 0 };
	if (options != NULL)
		read_options(hosts, options);
	PQconninfoFree(options);
}

void
db_hosts_free(struct db_hosts *hosts)
{
	for (size_t i = 0; i < NLISTS; i++)
		free(hosts->lists[i]);
}
