/* base/decimal: as printf writes them. */
#include "base/decimal.h"

#include <inttypes.h>

#include "tap.h"

static void
same(int64_t v)
{
	char out[DECIMAL_SIZE], want[DECIMAL_SIZE + 1];
	size_t n = decimal_write(v, out);

	snprintf(want, sizeof(want), "%" PRId64, v);
	is_str(out, want, "as printf writes it");
	is_int(n, strlen(want), "its length");
}

int
main(void)
{
	char out[8] = "xxxxxxx";

	same(0);
	same(INT64_MIN);
	same(INT64_MAX);
	for (int64_t v = 1; v < INT64_MAX / 10; v *= 10) {
		same(v - 1);
		same(v);
		same(-v);
	}
	decimal_write_digits(7, out, 3);
	is_str(out, "007xxxx", "zeroes before it, and nothing behind");
	decimal_write_digits(12345, out + 3, 3);
	is_str(out, "007345x", "the last digits");
	return tap_done();
}
