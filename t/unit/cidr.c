/* base/cidr: who is in which network. */
#include "base/cidr.h"

#include "tap.h"

static const char *const valid[] = {
	"",
	"127.0.0.1",
	" 10.0.0.0/8\t192.168.1.0/24 ",
	"0.0.0.0/0",
	"255.255.255.255/32",
	"::/0",
	"::1",
	"2001:db8::/32 fe80::/10",
	"::ffff:10.0.0.0/104",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
};

static const char *const invalid[] = {
	"localhost",
	"10.0.0.1/8", /* one host or all of them? */
	"10.0.0.0/33",
	"10.0.0.0/",
	"10.0.0.0/08",
	"10.0.0.0/+8",
	"10.0.0.0/8/8",
	"10.0.0.0/99999999999999999999",
	"10.0.0",
	"10.0.0.0.0",
	"10.0.0.256",
	"010.0.0.1",
	"0x7f.0.0.1",
	"10.0.0.1,10.0.0.2",
	"::1%lo",
	"fe80::/129",
	"2001:db8::1/32",
	"1::2::3",
	"[::1]",
	"/8",
	"unix:",
	"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255xxxxxxxxxxxxxxxxxx",
};

static const struct {
	const char *list, *address;
	bool in;
} looked[] = {
	{ "127.0.0.0/8 ::1/128", "127.0.0.1", true },
	{ "127.0.0.0/8 ::1/128", "127.255.255.255", true },
	{ "127.0.0.0/8 ::1/128", "128.0.0.0", false },
	{ "127.0.0.0/8 ::1/128", "126.255.255.255", false },
	{ "127.0.0.0/8 ::1/128", "::1", true },
	{ "127.0.0.0/8 ::1/128", "0:0:0:0:0:0:0:1", true },
	{ "127.0.0.0/8 ::1/128", "::2", false },
	{ "127.0.0.0/8", "::ffff:127.0.0.1", true },
	{ "127.0.0.0/8", "::ffff:7f00:1", true },
	{ "127.0.0.0/8", "::127.0.0.1", false },
	{ "127.0.0.0/8", "64:ff9b::127.0.0.1", false },
	{ "::ffff:10.0.0.0/104", "10.9.8.7", true },
	{ "10.1.2.3", "10.1.2.3", true },
	{ "10.1.2.3", "10.1.2.2", false },
	{ "10.0.0.0/9", "10.127.255.255", true },
	{ "10.0.0.0/9", "10.128.0.0", false },
	{ "10.0.0.0/31", "10.0.0.1", true },
	{ "10.0.0.0/31", "10.0.0.2", false },
	{ "0.0.0.0/0", "203.0.113.9", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "2001:db8:8000::/33", "2001:db8:ffff::1", true },
	{ "2001:db8:8000::/33", "2001:db8:7fff::1", false },
	{ "", "127.0.0.1", false },
	{ "0.0.0.0/0 ::/0", "", false },
	{ "0.0.0.0/0 ::/0", "unix:", false },
	{ "0.0.0.0/0 ::/0", "127.0.0.1 ", false },
	{ "0.0.0.0/0 ::/0", "127.0.0.1/8", false },
	{ "0.0.0.0/0 ::/0", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255x", false },
};

static const struct {
	const char *network;
	bool wide;
} widths[] = {
	{ "0.0.0.0/0", true }, { "::/0", true }, { "0.0.0.0/1", true }, { "128.0.0.0/1", true },
	{ "10.0.0.0/7", true }, { "::ffff:0.0.0.0/96", true }, { "::ffff:0:0/103", true }, { "::/80", true },
	{ "::fffe:0:0/95", true }, { "2000::/3", true }, { "2000::/15", true }, { "8000::/1", true },
	{ "fc00::/6", true }, { "f000::/4", true },
	{ "10.0.0.0/8", false }, { "0.0.0.0/8", false }, { "192.0.2.7", false }, { "::ffff:10.0.0.0/104", false },
	{ "::1", false }, { "::/81", false }, { "fc00::/7", false }, { "fd00::/8", false }, { "2001::/16", false },
	{ "::fffe:0:0/96", false },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++)
		ok(cidr_list_valid(valid[i]), "valid: `%s`", valid[i]);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++)
		ok(!cidr_list_valid(invalid[i]), "invalid: `%s`", invalid[i]);
	for (size_t i = 0; i < sizeof(looked) / sizeof(*looked); i++)
		ok(cidr_list_has(looked[i].list, looked[i].address) == looked[i].in,
		    "`%s` %s `%s`", looked[i].address, looked[i].in ? "is in" : "is not in",
		    looked[i].list);
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++)
		ok(cidr_is_wide(widths[i].network) == widths[i].wide, "`%s` is %s", widths[i].network,
		    widths[i].wide ? "wide" : "not wide");
	return tap_done();
}
