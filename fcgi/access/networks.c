#include "access/networks.h"

#include "base/buf.h"
#include "base/cidr.h"
#include "base/words.h"

int
networks_parse(struct arena *a, const char *value, const char **out, struct err *err)
{
	struct slice word;
	struct buf b;
	int n = 0;

	buf_init(&b, a, strlen(value));
	while (words_next(&value, &word)) {
		const char *network = arena_printf(a, "%.*s", (int)word.n, word.p);

		if (!cidr_list_valid(network))
			return err_set(err, 400, "anonymous_networks: `%s` is neither an address nor a network; "
			    "write 192.0.2.0/24 or 2001:db8::/32, with no bit set behind the prefix", network);
		if (cidr_is_wide(network))
			return err_set(err, 400, "anonymous_networks: `%s` covers too much of the Internet; use the "
			    "visibility `public` for a project that anybody may read, or smaller networks, of "
			    "IPv4 /8 or longer, of IPv6 /16 or longer", network);
		if (++n > NETWORKS_MAX)
			return err_set(err, 400, "anonymous_networks has more than %d networks", NETWORKS_MAX);
		buf_printf(&b, "%s%s", n > 1 ? " " : "", network);
	}
	*out = buf_str(&b);
	return 0;
}
