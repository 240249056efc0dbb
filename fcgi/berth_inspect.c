/*
 * berth-inspect: reads one .crate on standard input, says on standard output
 * what is inside or why it is refused.  See berth-inspect(1).
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "crate/inspect.h"

enum { EXIT_ACCEPTED, EXIT_REFUSED, EXIT_TROUBLE };
enum { PIECE = 64 * 1024 };

/* As in berth.conf(5). */
enum { MAX_ENTRIES = 20000, ENTRIES_LIMIT = 1000000 };
static const uint64_t max_unpacked = UINT64_C(512) << 20;

static const char usage_text[] =
    "usage: berth-inspect [-hV] [-e entries] [-f folder] [-s size] < file.crate\n";

static const char help_text[] =
    "Checks one crate as an upload to the registry is checked.\n"
    "\n"
    "  -e entries  refuse more files and directories (20000)\n"
    "  -f folder   refuse what is not in this folder, NAME-VERSION\n"
    "  -s size     refuse so many bytes when decompressed (536870912)\n"
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

static int
print(FILE *to, const char *first, const char *second, int status)
{
	if (fputs(first, to) == EOF || fputs(second, to) == EOF || fflush(to) == EOF)
		return EXIT_TROUBLE;
	return status;
}

/* -1: go on; else the exit status. */
static int
options_parse(int argc, char **argv, struct inspect_limits *limits)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int c;

	while (good && (c = getopt_long(argc, argv, "e:f:hs:V", long_options, NULL)) != -1) {
		switch (c) {
		case 'e':
			good = number_parse(optarg, ENTRIES_LIMIT, &limits->max_entries);
			break;
		case 'f':
			limits->folder = optarg;
			break;
		case 'h':
			return print(stdout, usage_text, help_text, EXIT_ACCEPTED);
		case 's':
			good = number_parse(optarg, INT64_MAX, &limits->max_unpacked);
			break;
		case 'V':
			return print(stdout, "berth-inspect " BERTH_VERSION, "\n", EXIT_ACCEPTED);
		default:
			return print(stderr, usage_text, "", EXIT_TROUBLE);
		}
		if (!good)
			fprintf(stderr, "berth-inspect: -%c: not a number in range: %s\n", c, optarg);
	}
	return good && optind == argc ? -1 : print(stderr, usage_text, "", EXIT_TROUBLE);
}

/* Reads and inspects until the end of the crate or its first fault. */
static int
crate_read(struct inspect *in, struct verdict *verdict, struct err *err)
{
	static char piece[PIECE];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_sys(err, "standard input");
		if (inspect_push(in, slice_of(piece, (size_t)n), err) == -1)
			return -1;
	}
	return inspect_end(in, verdict, err);
}

static int
verdict_write(struct slice text, struct err *err)
{
	while (text.n > 0) {
		ssize_t n = write(STDOUT_FILENO, text.p, text.n);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_sys(err, "standard output");
		text = slice_of(text.p + n, text.n - (size_t)n);
	}
	return 0;
}

/* The exit status, or -1 where there is no verdict: err, with status 500. */
static int
crate_judge(struct arena *arena, struct inspect *in, struct err *err)
{
	struct verdict verdict = { .accepted = false };
	struct buf out;

	if (crate_read(in, &verdict, err) == -1 && err->status >= 500)
		return -1;
	buf_init(&out, arena, VERDICT_MAX);
	if (verdict.accepted)
		verdict_encode(&out, &verdict);
	if (buf_full(&out)) {
		verdict.accepted = false;
		(void)err_set(err, 400, "the manifest and the readme are too large together");
		buf_reset(&out);
	}
	if (!verdict.accepted) {
		verdict.status = err->status;
		verdict.error = err->pub;
		verdict_encode(&out, &verdict);
	}
	if (verdict_write(buf_slice(&out), err) == -1)
		return -1;
	return verdict.accepted ? EXIT_ACCEPTED : EXIT_REFUSED;
}

int
main(int argc, char **argv)
{
	struct inspect_limits limits = { .max_unpacked = max_unpacked, .max_entries = MAX_ENTRIES };
	struct sandbox_limits sandbox = { .memory = UINT64_C(256) << 20, .file_size = VERDICT_MAX };
	struct err err = { 0 };
	struct inspect *in;
	struct arena *arena;
	int status = options_parse(argc, argv, &limits);

	if (status != -1)
		return status;
	arena = arena_new();
	in = inspect_new(arena, &limits);
	/* 32 MB/s is far below what any machine decompresses, and a file may be at its limit */
	sandbox.cpu_seconds = 10 + (limits.max_unpacked >> 25);
	if (sandbox_enter(&sandbox, &err) == 0)
		status = crate_judge(arena, in, &err);
	if (status == -1) {
		fprintf(stderr, "berth-inspect: %s\n", err.detail);
		status = EXIT_TROUBLE;
	}
	arena_free(arena);
	return status;
}
