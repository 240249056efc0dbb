/*
 * berth-inspect: reads one .crate on standard input, says on standard output
 * what is inside or why it is refused; or does so for a worker of the pool.  See berth-inspect(1).
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/fault.h"
#include "base/sandbox.h"
#include "crate/index_line.h"
#include "crate/inspect/crate_diff.h"
#include "crate/inspect/inspect.h"
#include "crate/inspect/job.h"
#include "crate/inspect/sample.h"
#include "crate/inspect/source.h"
#include "crate/inspect/template.h"
#include "crate/registry_url.h"

enum { EXIT_ACCEPTED = JOB_ACCEPTED, EXIT_REFUSED = JOB_REFUSED, EXIT_TROUBLE };
enum { PIECE = 64 * 1024, FREE_MAX = 1 << 20 };
enum { OPTION_SERVE = 256 };

/* As in berth.conf(5). */
enum { MAX_ENTRIES = 20000 };
static const uint64_t max_unpacked = UINT64_C(512) << 20;

/* For a line of the index of the public registry, which raises its limits for single crates. */
static const struct package_limits public_limits = {
	.max_dependencies = 500,
	.max_features = 5000,
	.max_keywords = 5,
	.max_categories = 5,
	.strict = "",
	.own_registry = REGISTRY_PUBLIC_URL,
	.allowed_registries = "*",
};

/* What the command line asks for. */
struct request {
	struct inspect_limits limits;
	const char *cksum; /* of the crate, for its index line; NULL: a verdict is wanted */
	bool serve; /* jobs come on the socket that is standard input */
};

static const char usage_text[] =
    "usage: berth-inspect [-hV] [-e entries] [-f folder] [-l checksum] [-s size] < file.crate\n"
    "       berth-inspect --serve\n";

static const char help_text[] =
    "Checks one crate the way the registry checks an upload.\n"
    "\n"
    "  -e entries  refuse a crate with more files and directories (20000)\n"
    "  -f folder   refuse entries outside this folder, NAME-VERSION\n"
    "  -l checksum, --index-line checksum\n"
    "              print the crate's index line, with this SHA-256, instead of the verdict\n"
    "  -s size     refuse a crate of this many bytes or more when decompressed (536870912)\n"
    "  --serve     take crates from a worker of berth-fcgi; you never need this\n"
    "  -h, --help  show this\n"
    "  -V          show the version\n"
    "\n"
    "Exit status: 0 accepted, 1 refused, 2 trouble.\n";

static bool
number_parse(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoumax(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value >= 1 &&
	    *value <= max;
}

static bool
cksum_valid(const char *text)
{
	return strlen(text) == 64 && text[strspn(text, "0123456789abcdef")] == '\0';
}

static int
print(FILE *to, const char *first, const char *second, int status)
{
	if (fputs(first, to) == EOF || fputs(second, to) == EOF || fflush(to) == EOF)
		return EXIT_TROUBLE;
	return status;
}

/* -1: go on; else the exit status. */
static int
options_parse(int argc, char **argv, struct request *request)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "index-line", required_argument, NULL, 'l' },
		{ "serve", no_argument, NULL, OPTION_SERVE },
		{ NULL, 0, NULL, 0 },
	};
	struct inspect_limits *limits = &request->limits;
	bool good = true;
	int c;

	while (good && (c = getopt_long(argc, argv, "e:f:hl:s:V", long_options, NULL)) != -1) {
		switch (c) {
		case 'e':
			good = number_parse(optarg, INSPECT_ENTRIES_MAX, &limits->max_entries);
			break;
		case 'f':
			limits->folder = optarg;
			break;
		case 'h':
			return print(stdout, usage_text, help_text, EXIT_ACCEPTED);
		case 'l':
			good = cksum_valid(optarg);
			request->cksum = optarg;
			break;
		case OPTION_SERVE:
			request->serve = true;
			break;
		case 's':
			good = number_parse(optarg, INT64_MAX, &limits->max_unpacked);
			break;
		case 'V':
			return print(stdout, "berth-inspect " BERTH_VERSION, "\n", EXIT_ACCEPTED);
		default:
			return print(stderr, usage_text, "", EXIT_TROUBLE);
		}
		if (!good)
			fprintf(stderr, "berth-inspect: -%c: not %s: %s\n", c,
			    c == 'l' ? "a SHA-256 in lower case" : "a number in range", optarg);
	}
	/* what is true of one crate comes with it */
	good = good && optind == argc && (!request->serve || argc == 2);
	return good ? -1 : print(stderr, usage_text, "", EXIT_TROUBLE);
}

/* Reads and inspects until the end of the crate or its first fault. */
static int
bytes_read(struct inspect *in, struct verdict *verdict, struct err *err)
{
	static char piece[PIECE];
	ssize_t n;

	while ((n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, piece, sizeof(piece)))) != 0) {
		if (n == -1)
			return err_sys(err, "standard input");
		FAULT_POINT("inspect", "read");
		if (inspect_push(in, slice_of(piece, (size_t)n), err) == -1)
			return -1;
	}
	return inspect_end(in, verdict, err);
}

/* The same.  If a path comes twice, it goes back to the first byte and reads once more. */
static int
crate_read(struct inspect *in, struct verdict *verdict, struct err *err)
{
	int rc = bytes_read(in, verdict, err);

	if (rc == 0 || !inspect_repeats(in))
		return rc;
	err_clear(err);
	return lseek(STDIN_FILENO, 0, SEEK_SET) == -1 ? err_sys(err, "standard input")
	    : bytes_read(in, verdict, err);
}

static int
output_write(struct slice text, struct err *err)
{
	return disk_write(STDOUT_FILENO, text) == -1 ? err_sys(err, "standard output") : 0;
}

/* The verdict, in no more memory than it is long. */
static int
verdict_print(struct buf *out, const struct verdict *verdict, struct err *err)
{
	struct buf length;

	buf_init_measure(&length, VERDICT_MAX);
	verdict_encode(&length, verdict);
	if (buf_full(&length))
		return err_set(err, 400, "the manifest and the readme are too large together");
	buf_expect(out, length.n);
	verdict_encode(out, verdict);
	return 0;
}

/* The index line, as if the crate were published now. */
static int
line_print(struct buf *out, struct package *pkg, const char *cksum, struct err *err)
{
	struct package_id id;

	if (package_check_id(out->arena, pkg, &id, err) == -1 ||
	    package_check(out->arena, pkg, &public_limits, err) == -1)
		return -1;
	package_sort(pkg);
	if (index_line_encode(out, pkg, cksum, time(NULL), INDEX_LINE_MAX, err) == -1)
		return -1;
	buf_putc(out, '\n');
	return 0;
}

/* The exit status, or -1 where there is no verdict: err, with status 500. */
static int
crate_judge(struct arena *arena, struct inspect *in, const char *cksum, struct err *err)
{
	struct verdict verdict = { .accepted = false };
	struct slice text;
	struct buf out;

	if (crate_read(in, &verdict, err) == -1 && err->status >= 500)
		return -1;
	/* what reading a large manifest took would otherwise count beside the verdict */
	if (mallinfo2().fordblks > FREE_MAX)
		(void)malloc_trim(0);
	buf_init(&out, arena, VERDICT_MAX);
	if (verdict.accepted)
		verdict.accepted = (cksum == NULL ? verdict_print(&out, &verdict, err) :
		    line_print(&out, &verdict.package, cksum, err)) == 0;
	if (!verdict.accepted) {
		verdict.status = err->status;
		verdict.error = err->pub;
		buf_reset(&out);
		verdict_encode(&out, &verdict);
	}
	text = buf_slice(&out);
	if (FAULT_FAILS("inspect", "half"))
		text.n /= 2;
	FAULT_POINT("inspect", "judged");
	if (output_write(text, err) == -1)
		return -1;
	return verdict.accepted && !FAULT_FAILS("inspect", "written") ? EXIT_ACCEPTED : EXIT_REFUSED;
}

/* What one crate may take. */
static struct sandbox_limits
sandbox_limits_of(const struct inspect_limits *limits)
{
	return (struct sandbox_limits) {
		.memory = UINT64_C(256) << 20,
		/* 32 MB/s is far below what any machine decompresses, and a file may be at its limit */
		.cpu_seconds = 10 + (limits->max_unpacked >> 25),
		.file_size = VERDICT_MAX,
	};
}

/* Inspects the crate with what is prepared.  The exit status, or -1: err. */
static int
crate_inspect(struct arena *arena, const struct sandbox *sandbox, const struct request *request,
    struct inspect *in, struct err *err)
{
	const struct sandbox_limits limits = sandbox_limits_of(&request->limits);

	inspect_begin(in, &request->limits);
	/* a pipe cannot be read again */
	if (lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
		inspect_expect_once(in);
	if (sandbox_enter(sandbox, &limits, err) == -1)
		return -1;
	return crate_judge(arena, in, request->cksum, err);
}

/* Lets libraries load and look up now what they need for their first crate. */
static int
sample_inspect(struct arena *arena, struct err *err)
{
	const struct inspect_limits limits = { .max_unpacked = max_unpacked, .max_entries = MAX_ENTRIES };
	struct inspect *in = inspect_new(arena, &limits);
	struct verdict verdict;
	struct slice crate;
	struct buf out;

	if (sample_make(arena, &crate, err) == -1 || inspect_push(in, crate, err) == -1 ||
	    inspect_end(in, &verdict, err) == -1)
		return -1;
	buf_init(&out, arena, VERDICT_MAX);
	return verdict_print(&out, &verdict, err);
}

/* Reads the next bytes of a crate.  1: there are some; 0: the end; -1: err. */
static int
piece_read(int fd, struct slice *piece, struct err *err)
{
	static char bytes[PIECE];
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof(bytes)));

	if (n == -1)
		return err_sys(err, "read a crate");
	*piece = slice_of(bytes, (size_t)n);
	return n > 0;
}

static int
source_read(struct source *source, struct slice *out, struct err *err)
{
	struct slice piece = slice_str("");
	int rc = 1;

	while (rc == 1 && !source_done(source)) {
		rc = piece_read(STDIN_FILENO, &piece, err);
		if (rc == 1 && source_push(source, piece, err) == -1)
			rc = -1;
	}
	return rc == -1 ? -1 : source_end(source, out, err);
}

static int
diff_read(struct crate_diff *diff, struct slice *out, struct err *err)
{
	static const int crates[] = { [CRATE_DIFF_OLD] = STDIN_FILENO, [CRATE_DIFF_NEW] = TEMPLATE_OTHER };

	for (enum crate_diff_side side = CRATE_DIFF_OLD; side <= CRATE_DIFF_NEW; side++) {
		struct slice piece = slice_str("");
		int rc = 1;

		while (rc == 1) {
			rc = piece_read(crates[side], &piece, err);
			if (rc == 1 && crate_diff_push(diff, side, piece, err) == -1)
				rc = -1;
		}
		if (rc == -1 || crate_diff_end(diff, side, err) == -1)
			return -1;
	}
	*out = crate_diff_answer(diff);
	return 0;
}

/*
 * As crate_inspect(), for the other kinds of jobs: writes the answer, or why there is none, as
 * crate/inspect/source.h says.
 */
static int
source_show(struct arena *arena, const struct sandbox *sandbox, const struct job *job, struct err *err)
{
	bool compares = job->kind == JOB_DIFF;
	struct sandbox_limits limits = sandbox_limits_of(&job->limits);
	struct crate_diff *diff = compares ? crate_diff_new(arena, job) : NULL;
	struct source *source = compares ? NULL : source_new(arena, job);
	struct slice out;
	int rc;

	limits.descriptors = compares;
	if (sandbox_enter(sandbox, &limits, err) == -1)
		return -1;
	rc = compares ? diff_read(diff, &out, err) : source_read(source, &out, err);
	if (rc == -1 && err->status >= 500)
		return -1;
	if (rc == -1)
		out = slice_str(arena_printf(arena, "%d %s", err->status, err->pub));
	if (output_write(out, err) == -1)
		return -1;
	return rc == 0 ? EXIT_ACCEPTED : EXIT_REFUSED;
}

/* In the template until its worker has gone, in each child for one crate.  As crate_inspect(). */
static int
serve(struct arena *arena, const struct sandbox *sandbox, struct err *err)
{
	char message[JOB_MESSAGE_MAX + 1];
	struct request request = { .cksum = NULL };
	struct inspect *in;
	struct job job;
	int rc;

	if (sample_inspect(arena, err) == -1)
		return -1;
	/* each child has its own copy of it */
	in = inspect_prepare(arena);
	rc = template_run(STDIN_FILENO, message, &job, err);
	if (rc != 1)
		return rc == 0 ? EXIT_ACCEPTED : -1;
	if (job.kind != JOB_INSPECT)
		return source_show(arena, sandbox, &job, err);
	request.limits = job.limits;
	return crate_inspect(arena, sandbox, &request, in, err);
}

int
main(int argc, char **argv)
{
	struct request request = {
		.limits = { .max_unpacked = max_unpacked, .max_entries = MAX_ENTRIES },
	};
	struct err err = { 0 };
	struct sandbox *sandbox;
	struct arena *arena;
	int status = options_parse(argc, argv, &request);

	if (status != -1)
		return status;
	/* what OpenSSL does at the exit the sandbox forbids */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	/* the first conversion of a time opens files */
	tzset();
	arena = arena_new();
	sandbox = sandbox_new(arena, &err);
	if (sandbox != NULL)
		status = request.serve ? serve(arena, sandbox, &err)
		                       : crate_inspect(arena, sandbox, &request, inspect_prepare(arena), &err);
	if (status == -1) {
		fprintf(stderr, "berth-inspect: %s\n", err.detail);
		status = EXIT_TROUBLE;
	}
	/* exit() would call libraries that the template has removed; the kernel frees the rest faster, too */
	if (request.serve)
		_exit(status);
	arena_free(arena);
	return status;
}
