/* base/hosts: which host is in which list. */
#include "base/hosts.h"

#include "tap.h"

static const char *const valid[] = {
	"",
	"localhost",
	"ci.example.com .example.org",
	" a-b.example\t10.0.0.0/8 ::1 2001:db8::/32 ",
	"1and1.example xn--bcher-kva.example my_host",
};

static const char *const invalid[] = {
	"*",
	"*.example.com",
	"example.com:443",
	"https://example.com",
	"a.example,b.example",
	"10.0.0.1/8",
	"10.0.0.256",
	"10.0.0.0/33",
	"[::1]",
	"..example.com",
	"a..example",
	".",
	"-a.example",
	"b\xc3\xbc" "cher.example",
	/* 254 bytes */
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static const struct {
	const char *list, *host;
	bool in;
} looked[] = {
	{ "example.com", "example.com", true },
	{ "example.com", "ci.example.com", true },
	{ ".example.com", "example.com", true },
	{ ".example.com", "a.b.example.com", true },
	{ "example.com", "CI.Example.Com", true },
	{ "EXAMPLE.com", "example.com.", true },
	{ "example.com.", "ci.example.com", true },
	{ ".example.com.", "example.com", true },
	{ "example.com.", "example.com", true },
	{ "example.com", "badexample.com", false },
	{ "example.com", "example.com.org", false },
	{ "example.com", "com", false },
	{ "a.example b.example", "b.example", true },
	{ "a.example b.example", "c.example", false },
	{ "10.0.0.0/8", "10.1.2.3", true },
	{ "10.0.0.0/8", "11.1.2.3", false },
	{ "10.0.0.0/8 ::1", "[::1]", true },
	{ "a.example 2001:db8::/32", "[2001:db8::7]", true },
	{ "2001:db8::/32", "[2001:db9::7]", false },
	{ "10.1.2.3", "10.1.2.3", true },
	{ "10.0.0.0/8", "host.in.that.network", false },
	{ "", "example.com", false },
	{ "example.com", "", false },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++)
		ok(hosts_valid(valid[i]), "valid: `%s`", valid[i]);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++)
		ok(!hosts_valid(invalid[i]), "invalid: `%s`", invalid[i]);
	for (size_t i = 0; i < sizeof(looked) / sizeof(*looked); i++)
		ok(hosts_include(looked[i].list, slice_str(looked[i].host)) == looked[i].in, "`%s` %s `%s`",
		    looked[i].host, looked[i].in ? "is in" : "is not in", looked[i].list);
	return tap_done();
}
