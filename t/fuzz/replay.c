/*
 * Gives a fuzz target its corpus, one `ok` a file: the program
 * .../fuzz_NAME.t reads t/fuzz/corpus/fuzz_NAME/ below the current folder.  A
 * target that does not like an input aborts.
 */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The folder that belongs to the program. */
static void
corpus_path(char *out, size_t size, const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;
	size_t n = strlen(name);

	if (n > 2 && strcmp(name + n - 2, ".t") == 0)
		n -= 2;
	snprintf(out, size, "t/fuzz/corpus/%.*s", (int)n, name);
}

/* The bytes of a file, in memory of exactly their size, so that a read past them is seen. */
static uint8_t *
read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long end;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0 &&
	    fseek(file, 0, SEEK_SET) == 0) {
		*size = (size_t)end;
		data = malloc(*size > 0 ? *size : 1);
		if (data != NULL && fread(data, 1, *size, file) != *size) {
			free(data);
			data = NULL;
		}
	}
	fclose(file);
	return data;
}

static bool
replay(const char *folder, const char *name)
{
	char path[4096];
	size_t size = 0;
	uint8_t *data;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	data = read_all(path, &size);
	if (data == NULL)
		return false;
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return true;
}

int
main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	char folder[2048];
	int n, failed = 0;

	corpus_path(folder, sizeof(folder), argc > 0 ? argv[0] : "");
	n = scandir(folder, &entries, is_input, alphasort);
	if (n <= 0) {
		printf("1..1\nnot ok 1 - %s: %s\n", folder, n == 0 ? "empty" : strerror(errno));
		free(entries);
		return 1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		bool good;

		fflush(stdout); /* an input that aborts comes right after the last line */
		good = replay(folder, entries[i]->d_name);
		printf("%sok %d - %s\n", good ? "" : "not ", i + 1, entries[i]->d_name);
		failed += !good;
		free(entries[i]);
	}
	free(entries);
	return failed > 0;
}
