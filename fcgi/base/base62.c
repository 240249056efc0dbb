#include "base/base62.h"

#include <assert.h>
#include <string.h>

void
base62_encode(const unsigned char *p, size_t n, char *out, size_t width)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char number[64];

	assert(n <= sizeof(number));
	memcpy(number, p, n);
	/* schoolbook long division by 62, the last digit first */
	for (size_t i = width; i-- > 0;) {
		unsigned rest = 0;

		for (size_t k = 0; k < n; k++) {
			unsigned v = rest << 8 | number[k];

			number[k] = (unsigned char)(v / 62);
			rest = v % 62;
		}
		out[i] = digits[rest];
	}
	out[width] = '\0';
	for (size_t k = 0; k < n; k++)
		assert(number[k] == 0);
}

bool
base62_valid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}
