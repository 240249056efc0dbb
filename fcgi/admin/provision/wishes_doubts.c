#include "admin/provision/wishes_doubts.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/date.h"
#include "store/token/issuer.h"
#include "store/user.h"

enum { DOUBTS_MAX = 1 << 20 };

static void
begin_line(struct buf *b, const struct wishes *wishes, const struct wish *wish)
{
	buf_printf(b, "berth: warning: %s:%" PRIu32 ": ", wishes->file, wish->line);
}

static void
doubt_end(struct arena *a, const struct wishes *wishes, const struct wish *wish, struct buf *b)
{
	const char *end = wish->thing.values[MEMBER_EXPIRES];
	struct err ignored = { 0 };
	int64_t moment;

	/* also "never" is no date */
	if (end == NULL || date_parse(end, &moment, &ignored) == -1 || moment > time(NULL))
		return;
	begin_line(b, wishes, wish);
	buf_printf(b, "[[member]] %s: expires %s is past: this membership has no effect\n",
	    provision_names(a, &wish->thing), end);
}

/* Does the file name that user behind the wish?  Then it is told there. */
static bool
is_named_behind(const struct wishes *wishes, const struct wish *wish, const char *username)
{
	while (++wish < wishes->all + wishes->n) {
		if (wish->thing.kind == PROVISION_USER && wish->thing.values[USER_EMAIL] != NULL &&
		    strcasecmp(wish->thing.names[0], username) == 0)
			return true;
	}
	return false;
}

static void
doubt_email(const struct wishes *wishes, const struct wish *wish, const struct user *users, size_t n,
    struct buf *b)
{
	const char *email = wish->thing.values[USER_EMAIL], *username = wish->thing.names[0];

	for (size_t i = 0; email != NULL && i < n; i++) {
		if (strcasecmp(users[i].email, email) != 0 || strcasecmp(users[i].username, username) == 0 ||
		    is_named_behind(wishes, wish, users[i].username))
			continue;
		begin_line(b, wishes, wish);
		buf_printf(b, "[[user]] %s: user `%s` has the same email, %s\n", username, users[i].username, email);
	}
}

static int
doubt_issuer(const struct provision *p, const struct wishes *wishes, const struct wish *wish, struct buf *b,
    struct err *err)
{
	const char *url = wish->thing.names[0], *other;

	if (issuer_find_other(p->db, p->arena, url, &other, err) == -1)
		return -1;
	if (other == NULL)
		return 0;
	begin_line(b, wishes, wish);
	buf_printf(b, "[[issuer]] %s: " ISSUER_OTHER "\n", url, other);
	return 0;
}

int
wishes_doubts(const struct provision *p, const struct wishes *wishes, const char **text, struct err *err)
{
	struct user *users;
	struct buf b;
	size_t n;

	if (user_all(p->db, p->arena, &users, &n, err) == -1)
		return -1;
	buf_init(&b, p->arena, DOUBTS_MAX);
	for (size_t i = 0; i < wishes->n; i++) {
		const struct wish *wish = &wishes->all[i];

		if (wish->thing.kind == PROVISION_MEMBER)
			doubt_end(p->arena, wishes, wish, &b);
		else if (wish->thing.kind == PROVISION_USER)
			doubt_email(wishes, wish, users, n, &b);
		else if (wish->thing.kind == PROVISION_ISSUER && doubt_issuer(p, wishes, wish, &b, err) == -1)
			return -1;
	}
	*text = buf_str(&b);
	return 0;
}
