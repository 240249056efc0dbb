/* crate/spdx: what SPDX knows, and what it does not. */
#include "crate/spdx.h"

#include "crate/spdx_ids.h"
#include "tap.h"

static const struct {
	const char *text;
	bool known;
} cases[] = {
	{ "MIT", true },
	{ "MIT OR Apache-2.0", true },
	{ "MIT/Apache-2.0", true },
	{ "MIT / Apache-2.0", true },
	{ "GPL-2.0+", true },
	{ "GPL-3.0", true },
	{ "Apache-2.0+", true },
	{ "Apache-2.0 WITH LLVM-exception", true },
	{ "(MIT OR Apache-2.0) AND Unicode-3.0", true },
	{ "((MIT))", true },
	{ " MIT  AND ISC ", true },
	{ "LicenseRef-Proprietary", true },
	{ "DocumentRef-x:LicenseRef-y", true },
	{ "MIT OR LicenseRef-a.b-1", true },
	{ "", false },
	{ " ", false },
	{ "Proprietary", false },
	{ "mit", false },
	{ "Apache 2.0", false },
	{ "Apache-2", false },
	{ "MI", false },
	{ "MITx", false },
	{ "MIT++", false },
	{ "+", false },
	{ "MIT OR", false },
	{ "OR MIT", false },
	{ "MIT or ISC", false },
	{ "MIT ISC", false },
	{ "MIT, ISC", false },
	{ "MIT WITH", false },
	{ "MIT WITH MIT", false },
	{ "LLVM-exception", false },
	{ "(MIT", false },
	{ "MIT)", false },
	{ "()", false },
	{ "MIT (ISC)", false },
	{ "LicenseRef-", false },
	{ "DocumentRef-:LicenseRef-y", false },
	{ "DocumentRef-x:MIT", false },
	{ "MIT//ISC", false },
	{ "MIT\tOR ISC", false },
	{ "\xc3\xa9", false },
};

static void
is_sorted(const char *const *v, size_t n, const char *name)
{
	size_t wrong = 0;

	for (size_t i = 1; i < n; i++)
		wrong += strcmp(v[i - 1], v[i]) >= 0;
	is_int((long long)wrong, 0, name);
}

int
main(void)
{
	char text[1002];

	is_sorted(spdx_licenses, spdx_nlicenses, "licences are in order");
	is_sorted(spdx_exceptions, spdx_nexceptions, "exceptions are in order");
	for (size_t i = 0; i < spdx_nlicenses; i++) {
		if (!spdx_knows(slice_str(spdx_licenses[i])))
			ok(false, "%s", spdx_licenses[i]);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(spdx_knows(slice_str(cases[i].text)) == cases[i].known, "`%s`", cases[i].text);
	ok(!spdx_knows(slice_of("MIT\0", 4)), "a NUL");
	memset(text, ' ', sizeof(text));
	memcpy(text, "MIT", 3);
	ok(spdx_knows(slice_of(text, 1000)), "1000 bytes");
	ok(!spdx_knows(slice_of(text, 1001)), "one more");
	return tap_done();
}
