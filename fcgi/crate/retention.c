#include "crate/retention.h"

#include "crate/semver.h"

enum { DAY = 86400 };

const char *const retention_why_names[] = {
	[RETENTION_KEEP] = "",
	[RETENTION_PRERELEASE] = "pre-release",
	[RETENTION_UNUSED] = "unused",
};

static bool
parse(const struct retention_version *v, struct semver *out)
{
	struct err wrong;

	return semver_parse(slice_str(v->version), out, &wrong) == 0;
}

/* The latest version that is no pre-release, in the order of versions; n: there is none. */
static size_t
latest_stable(const struct retention_version *v, size_t n, bool also_yanked)
{
	struct semver best = { 0 }, this;
	size_t found = n;

	for (size_t i = 0; i < n; i++) {
		if (!parse(&v[i], &this) || this.pre.n > 0 || (v[i].yanked && !also_yanked))
			continue;
		if (found == n || semver_compare(&this, &best) > 0) {
			best = this;
			found = i;
		}
	}
	return found;
}

/* Only days of which downloads were counted are days without one. */
static bool
is_unused(const struct retention_policy *policy, const struct retention_version *v, int64_t now)
{
	int64_t since = v->last_used_at > v->published_at ? v->last_used_at : v->published_at;
	int64_t until = policy->counted_to < now ? policy->counted_to : now;

	if (policy->unused_days == RETENTION_ALL || policy->counted_from == 0)
		return false;
	if (policy->counted_from > since)
		since = policy->counted_from;
	/* days, so that nothing overflows, whatever somebody has chosen */
	return (until - since) / DAY >= policy->unused_days;
}

size_t
retention_judge(const struct retention_policy *policy, struct retention_version *v, size_t n,
    int64_t now)
{
	size_t stable = latest_stable(v, n, false);
	int64_t prereleases = 0;

	if (stable == n)
		stable = latest_stable(v, n, true);
	for (size_t i = n; i-- > 0;) {
		struct semver version;
		bool sound = parse(&v[i], &version);
		bool surplus = sound && version.pre.n > 0 && policy->keep_prereleases != RETENTION_ALL &&
		    prereleases++ >= policy->keep_prereleases;

		v[i].why = RETENTION_KEEP;
		if (!sound || i == stable || (int64_t)(n - i) <= policy->keep_newest || i == n - 1)
			continue;
		if (surplus)
			v[i].why = RETENTION_PRERELEASE;
		else if (is_unused(policy, &v[i], now))
			v[i].why = RETENTION_UNUSED;
	}
	return stable < n || n == 0 ? stable : n - 1;
}
