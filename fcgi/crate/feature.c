#include "crate/feature.h"

#include <string.h>

#include "base/excerpt.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "crate/xid.h"

static bool
may_start(uint32_t cp)
{
	return cp == '_' || (cp >= '0' && cp <= '9') || xid_start(cp);
}

static bool
may_follow(uint32_t cp)
{
	return cp == '+' || cp == '-' || cp == '.' || xid_continue(cp);
}

int
feature_name_check(struct slice name, struct err *err)
{
	if (name.n == 0)
		return err_set(err, 400, "feature cannot be empty");
	for (size_t i = 0; i < name.n;) {
		uint32_t cp;
		size_t n = utf8_decode(name.p + i, name.n - i, &cp);

		if (n == 0)
			return err_set(err, 400, "a feature's name is not valid UTF-8");
		if (i == 0 && !may_start(cp))
			return err_set(err, 400,
			    "invalid character `%.*s` in feature `%.*s`, the first character "
			    "must be a Unicode XID start character or digit (most letters or "
			    "`_` or `0` to `9`)",
			    (int)n, name.p, excerpt(name), name.p);
		if (i > 0 && !may_follow(cp))
			return err_set(err, 400,
			    "invalid character `%.*s` in feature `%.*s`, characters must be "
			    "Unicode XID characters, `+`, `-`, or `.` (numbers, `+`, `-`, `_`, "
			    "`.`, or most letters)",
			    (int)n, name.p + i, excerpt(name), name.p);
		i += n;
	}
	return 0;
}

struct feature_value
feature_value_parse(struct slice text)
{
	const char *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
	struct feature_value v = { .kind = FEATURE_NAME, .name = text };

	if (slash != NULL) {
		v.kind = FEATURE_OF_DEP;
		v.name.n = (size_t)(slash - text.p);
		v.feature = slice_of(slash + 1, text.n - v.name.n - 1);
		v.weak = v.name.n > 0 && v.name.p[v.name.n - 1] == '?';
		if (v.weak)
			v.name.n--;
	} else if (slice_has_prefix(text, "dep:")) {
		v.kind = FEATURE_DEP;
		scan_skip(&v.name, strlen("dep:"));
	}
	return v;
}
