#include "transfer/import_time.h"

#include <stdbool.h>
#include <string.h>

#include "base/date.h"
#include "base/scan.h"

enum { MINUTE = 60, DAY = 24 * 60 /* minutes */ };

/* What date_parse() reads: from the beginning of the year 1971 to the end of the year 9999. */
static const int64_t seconds_min = 31536000, seconds_max = 253402300799;

/* Reads the minutes of "+01:30" or "-01:30"; "Z" is 0.  False: the text is no zone. */
static bool
read_zone(const char *zone, int64_t *minutes)
{
	static const int worth[] = { 0, 600, 60, 0, 10, 1 };

	*minutes = 0;
	if (strcmp(zone, "Z") == 0)
		return true;
	if ((zone[0] != '+' && zone[0] != '-') || strlen(zone) != sizeof(worth) / sizeof(*worth) || zone[3] != ':')
		return false;
	for (size_t i = 1; zone[i] != '\0'; i++) {
		if (i != 3 && !scan_is_digit(zone[i]))
			return false;
		*minutes += i == 3 ? 0 : worth[i] * (zone[i] - '0');
	}
	if (*minutes >= DAY || zone[4] > '5')
		return false;
	if (zone[0] == '-')
		*minutes = -*minutes;
	return true;
}

/* What follows the whole seconds: the zone, behind a fraction or not. */
static const char *
skip_fraction(const char *rest)
{
	if (rest[0] != '.' || !scan_is_digit(rest[1]))
		return rest;
	for (rest++; scan_is_digit(*rest); rest++)
		continue;
	return rest;
}

static int
parse(struct arena *a, const char *text, int64_t *seconds, struct err *err)
{
	enum { LENGTH = 19 }; /* up to the whole seconds */
	int64_t minutes;

	if (strlen(text) <= LENGTH)
		return date_parse(text, seconds, err);
	if (!read_zone(skip_fraction(text + LENGTH), &minutes))
		return err_set(err, 400, "`%s` is not a time; the form is YYYY-MM-DDTHH:MM:SS with Z or an offset "
		    "such as +02:00", text);
	if (date_parse(arena_printf(a, "%.*sZ", LENGTH, text), seconds, err) == -1)
		return -1;
	*seconds -= minutes * MINUTE;
	return *seconds >= seconds_min && *seconds <= seconds_max ? 0
	    : err_set(err, 400, "there is no date `%s`", text);
}

struct import_time
import_time_take(struct arena *a, struct json_object *obj, const char *key)
{
	struct import_time time = { 0 };
	struct json_object *value;
	struct err wrong = { 0 };

	if (!json_object_object_get_ex(obj, key, &value) || value == NULL)
		return time;
	if (!json_object_is_type(value, json_type_string))
		err_set(&wrong, 400, "field `%s` must be a string", key);
	else if (parse(a, json_object_get_string(value), &time.seconds, &wrong) == 0)
		return time;
	return (struct import_time) { 0, arena_strdup(a, wrong.pub) };
}
