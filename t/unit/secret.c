/* access/secret: what sessions and links hold. */
#include "access/secret.h"

#include <string.h>

#include <openssl/evp.h>

#include "tap.h"

int
main(void)
{
	char text[SECRET_TEXT_SIZE], other[SECRET_TEXT_SIZE];
	char form[SECRET_FORM_SIZE], same[SECRET_FORM_SIZE];
	unsigned char digest[SECRET_DIGEST_SIZE], parsed[SECRET_DIGEST_SIZE];
	struct err err = { 0 };

	is_int(secret_generate(text, digest, &err), 0, "one");
	is_int(secret_generate(other, parsed, &err), 0, "another");
	is_int(strlen(text), 43, "43 digits");
	ok(strcmp(text, other) != 0, "they differ");
	ok(secret_parse(slice_str(text), parsed), "it parses");
	ok(memcmp(digest, parsed, sizeof(digest)) == 0, "to the same digest");
	EVP_Digest(text, strlen(text), parsed, NULL, EVP_sha256(), NULL);
	ok(memcmp(digest, parsed, sizeof(digest)) == 0, "which is its SHA-256");
	ok(!secret_parse(slice_of(text, 42), parsed), "too short");
	ok(!secret_parse(slice_of(text, 44), parsed), "too long");
	ok(!secret_parse(slice_str(""), parsed), "empty");
	text[7] = '-';
	ok(!secret_parse(slice_str(text), parsed), "no digit");

	secret_form(other, 7, form);
	secret_form(other, 7, same);
	is_int(strlen(form), 64, "of forms");
	is_str(form, same, "the same each time");
	ok(secret_form_matches(other, 7, form), "it matches");
	form[63] = form[63] == '0' ? '1' : '0';
	ok(!secret_form_matches(other, 7, form), "another does not");
	ok(!secret_form_matches(other, 7, ""), "nor nothing");
	form[63] = '\0';
	ok(!secret_form_matches(other, 7, form), "nor a part");
	secret_form(text, 7, same);
	ok(!secret_form_matches(other, 7, same), "nor that of another session");
	secret_form(other, 8, same);
	ok(!secret_form_matches(other, 7, same), "nor that of another user");
	return tap_done();
}
