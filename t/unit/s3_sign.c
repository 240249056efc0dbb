/* Signatures for S3: the examples that AWS has published with its description. */

#include "net/s3_sign.h"

#include <string.h>

#include "tap.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DATE  "20130524T000000Z"

static const struct s3_credentials credentials = { "AKIAIOSFODNN7EXAMPLE",
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL };

static struct arena *a;

struct example {
	const char *about, *method, *path, *query, *payload, *signature;
	const char *headers[6];
};

static const struct example examples[] = {
	{ "a part of an object", "GET", "/test.txt", "", EMPTY,
	    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
	    { "host:examplebucket.s3.amazonaws.com", "range:bytes=0-9", "x-amz-content-sha256:" EMPTY,
	        "x-amz-date:" DATE } },
	{ "an upload", "PUT", "/test%24file.text", "",
	    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
	    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
	    { "date:Fri, 24 May 2013 00:00:00 GMT", "host:examplebucket.s3.amazonaws.com",
	        "x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
	        "x-amz-date:" DATE, "x-amz-storage-class:REDUCED_REDUNDANCY" } },
	{ "a parameter without a value", "GET", "/", "lifecycle=", EMPTY,
	    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
	    { "host:examplebucket.s3.amazonaws.com", "x-amz-content-sha256:" EMPTY, "x-amz-date:" DATE } },
	{ "a list", "GET", "/", "max-keys=2&prefix=J", EMPTY,
	    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	    { "host:examplebucket.s3.amazonaws.com", "x-amz-content-sha256:" EMPTY, "x-amz-date:" DATE } },
};

static struct s3_signing
signing_of(const struct example *e)
{
	return (struct s3_signing) { .method = e->method, .path = e->path, .query = e->query,
		.headers = e->headers, .payload = e->payload, .date = DATE, .region = "us-east-1",
		.credentials = &credentials };
}

static const char *
encoded(const char *text, bool path)
{
	struct buf b;

	buf_init(&b, a, 256);
	s3_encode(&b, slice_str(text), path);
	return buf_str(&b);
}

int
main(void)
{
	struct s3_signing first = signing_of(&examples[0]);

	a = arena_new();
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		struct s3_signing s = signing_of(&examples[i]);
		const char *header = s3_authorization(a, &s);

		is_str(header == NULL ? NULL : strrchr(header, '=') + 1, examples[i].signature, examples[i].about);
	}
	is_str(s3_authorization(a, &first), "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
	    "aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="
	    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "the header");
	is_str(encoded("a/b ~-._\xc3\xa9+%", true), "a/b%20~-._%C3%A9%2B%25", "a path is encoded once");
	is_str(encoded("a/b", false), "a%2Fb", "a parameter has no slash");
	arena_free(a);
	return tap_done();
}
