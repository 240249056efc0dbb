#include "base/decimal.h"

size_t
decimal_write(int64_t v, char out[DECIMAL_SIZE])
{
	/* the least number has no positive counterpart in int64_t */
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
	size_t sign = v < 0, n = 1;

	for (uint64_t rest = left / 10; rest > 0; rest /= 10)
		n++;
	if (sign)
		out[0] = '-';
	decimal_write_digits(left, out + sign, n);
	out[sign + n] = '\0';
	return sign + n;
}

void
decimal_write_digits(uint64_t v, char *out, size_t n)
{
	while (n-- > 0) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}
