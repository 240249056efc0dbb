#include "base/base64.h"

#include <stdint.h>

struct alphabet {
	char c62, c63;
};

static int
sextet(const struct alphabet *alphabet, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == alphabet->c62 ? 62 : c == alphabet->c63 ? 63 : -1;
}

static bool
decode(const struct alphabet *alphabet, struct slice digits, char *out, size_t *n)
{
	uint32_t bits = 0;

	*n = 0;
	/* one digit of a quantum holds no byte */
	if (digits.n % 4 == 1)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		int v = sextet(alphabet, digits.p[i]);

		if (v == -1)
			return false;
		bits = bits << 6 | (uint32_t)v;
		/* each digit after the first of a quantum completes a byte */
		if (i % 4 != 0)
			out[(*n)++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	/* of the last digit of a quantum cut short, two or four bits belong to no byte */
	return digits.n % 4 == 0 || (bits & ((1U << (6 - 2 * (digits.n % 4 - 1))) - 1)) == 0;
}

bool
base64_decode(struct slice in, char *out, size_t *n)
{
	static const struct alphabet standard = { '+', '/' };
	struct slice digits = in;

	*n = 0;
	if (in.n % 4 != 0)
		return false;
	for (int pads = 0; pads < 2 && digits.n > 0 && in.p[digits.n - 1] == '='; pads++)
		digits.n--;
	return decode(&standard, digits, out, n);
}

bool
base64url_decode(struct slice in, char *out, size_t *n)
{
	static const struct alphabet url = { '-', '_' };

	return decode(&url, in, out, n);
}
