#include "admin/number.h"

#include <inttypes.h>
#include <string.h>

enum { DIGITS_MAX = 18 };

int
number_parse(const char *text, const char *what, int64_t *out, struct err *err)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > DIGITS_MAX || text[n] != '\0' || (*out = strtoimax(text, NULL, 10)) == 0)
		return err_set(err, 400, "`%s` is not a valid %s: give a whole number from 1", text, what);
	return 0;
}
