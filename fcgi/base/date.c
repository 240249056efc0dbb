#include "base/date.h"

#include <stdbool.h>
#include <time.h>

/* `text` has the form of `pattern`, in which 0 stands for any digit. */
static bool
has_form(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; text++, pattern++) {
		bool digit = *text >= '0' && *text <= '9';

		if (*pattern == '0' ? !digit : *text != *pattern)
			return false;
	}
	return *text == '\0';
}

static int
number(const char *text, int digits)
{
	int v = 0;

	for (int i = 0; i < digits; i++)
		v = v * 10 + (text[i] - '0');
	return v;
}

int
date_parse(const char *text, int64_t *seconds, struct err *err)
{
	struct tm tm = { 0 }, back;
	bool moment = has_form(text, "0000-00-00T00:00:00Z");
	time_t t;

	if (!moment && !has_form(text, "0000-00-00"))
		return err_set(
		    err, 400, "`%s` is not a date; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ", text);
	tm.tm_year = number(text, 4) - 1900;
	tm.tm_mon = number(text + 5, 2) - 1;
	tm.tm_mday = number(text + 8, 2);
	if (moment) {
		tm.tm_hour = number(text + 11, 2);
		tm.tm_min = number(text + 14, 2);
		tm.tm_sec = number(text + 17, 2);
	}
	back = tm;
	t = timegm(&back);
	/* timegm turns 30 February into March */
	if (tm.tm_year < 71 || back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon ||
	    back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min ||
	    back.tm_sec != tm.tm_sec)
		return err_set(err, 400, "there is no date `%s`", text);
	*seconds = t;
	return 0;
}

int
date_parse_end(const char *text, int64_t now, int64_t *seconds, struct err *err)
{
	if (date_parse(text, seconds, err) == -1)
		return -1;
	return *seconds > now ? 0 : err_set(err, 400, "the date %s is past", text);
}
