#include "store/token/token_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "admin/command.h"
#include "admin/output.h"
#include "base/disk.h"
#include "config/settings.h"

enum {
	FILE_MODE = 0640, /* of a new file, at most; an existing one keeps its mode */
	SLOTS_MAX = 36 * 36
};

/* The slot after all used ones: "00", "01" ... "zz".  -1: 409 none is left. */
static int
next_slot(struct invocation *in, char slot[TOKEN_SLOT_LENGTH + 1])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	struct token_slot *slots;
	size_t n;

	if (token_slot_list(in->db, in->arena, &slots, &n, &in->err) == -1)
		return -1;
	if (n >= SLOTS_MAX)
		return err_set(&in->err, 409,
		    "all %d slots have been used, and a slot is never used again", (int)SLOTS_MAX);
	slot[0] = digits[n / 36];
	slot[1] = digits[n % 36];
	slot[2] = '\0';
	return 0;
}

/*
 * Replaces the file by the text, and keeps its owner and mode.  A new one gets those of the configuration:
 * whoever may read that may read the keys.
 */
static int
replace_file(struct invocation *in, const char *path, const char *text, size_t n)
{
	const char *new = arena_printf(in->arena, "%s.new", path);
	struct stat like;
	bool was_there = stat(path, &like) == 0, found = was_there || stat(in->config_path, &like) == 0;
	mode_t mode = was_there ? 0777 : FILE_MODE;
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* only root gives files away: others keep a new one */
	bool gives = was_there || geteuid() == 0;
	bool good = found && fd != -1 && disk_write(fd, slice_of(text, n)) == 0 && fsync(fd) == 0 &&
	    (!gives || fchown(fd, like.st_uid, like.st_gid) == 0) && fchmod(fd, like.st_mode & mode) == 0;

	if (fd != -1 && close(fd) == -1)
		good = false;
	if (good && rename(new, path) == 0)
		return 0;
	err_sys(&in->err, "token_key: cannot write %s", path);
	/* it has a part of the keys */
	if (fd != -1)
		unlink(new);
	return -1;
}

/*
 * Waits until no other command on this host adds a key, since the one that is last to replace the file would
 * take the other's line away.  Returns the descriptor that holds the lock, or -1.
 */
static int
lock_directory(struct invocation *in, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dir = slash == path ? "/" : arena_strndup(in->arena, path, (size_t)(slash - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1 && flock(fd, LOCK_EX) == 0)
		return fd;
	err_sys(&in->err, "token_key: cannot lock the directory %s", dir);
	if (fd != -1)
		close(fd);
	return -1;
}

/* Makes the new content: the file, or the beginning of a new one, and one line more. */
static int
append(struct invocation *in, const char *path, const char *registry, const struct token_key *key)
{
	char text[TOKEN_KEY_FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc, more;
	ssize_t n = fd == -1 ? -1 : disk_read_all(fd, text, sizeof(text));
	bool missing = fd == -1 && errno == ENOENT;

	if (fd != -1)
		close(fd);
	if (missing)
		n = snprintf(text, sizeof(text), "registry \"%s\";\n", registry);
	if (n == -1)
		return err_sys(&in->err, "token_key: cannot read %s", path);
	/* an editor may have left the last line without its end */
	more = snprintf(text + n, sizeof(text) - (size_t)n, "%s%s \"%s\";\n",
	    n > 0 && text[n - 1] != '\n' ? "\n" : "", key->slot, key->key);
	rc = (size_t)more >= sizeof(text) - (size_t)n
	    ? err_set(&in->err, 409, "%s is full; remove the lines of retired slots", path)
	    : replace_file(in, path, text, (size_t)(n + more));
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

/* The database first: if the key is lost, no token ever uses its slot. */
static int
add_key(struct invocation *in, const char *path, const char *registry, const struct token_key *key)
{
	struct err late = { 0 };

	if (token_slot_add(in->db, in->arena, &in->actor, key, &in->err) == -1)
		return -1;
	if (append(in, path, registry, key) == 0)
		return 0;
	if (token_slot_retire(in->db, in->arena, &in->actor, key->slot, &late) == -1)
		fprintf(stderr, "berth: slot %s has no key; run `berth key retire %s`\n", key->slot, key->slot);
	return -1;
}

/* Makes a key for the next slot. */
static int
add_next(struct invocation *in, const char *path, char slot[TOKEN_SLOT_LENGTH + 1])
{
	struct token_keys known;
	struct token_key key;
	int rc = -1;

	/* refuses a file of another registry, and a malformed one */
	if (token_slot_keys(in->db, in->arena, access(path, F_OK) == 0 ? path : "", &known, &in->err) == -1)
		return -1;
	if (next_slot(in, slot) == 0 && token_key_generate(slot, &key, &in->err) == 0)
		rc = add_key(in, path, known.registry_id, &key);
	OPENSSL_cleanse(&key, sizeof(key));
	token_keys_wipe(&known);
	return rc;
}

static int
add(struct invocation *in)
{
	static const char *const keys[] = { "slot" };
	struct output out = { in->arena, in->json, keys, 1 };
	const char *path = in->settings != NULL ? in->settings->token_key : "";
	char slot[TOKEN_SLOT_LENGTH + 1];
	int lock, rc;

	if (path[0] == '\0')
		return err_set(&in->err, 400, "token_key is not set; name the file in the configuration first");
	lock = lock_directory(in, path);
	if (lock == -1)
		return -1;
	rc = add_next(in, path, slot);
	close(lock);
	if (rc == 0)
		output_id(&out, (struct cell[]) { cell_str(slot) });
	return rc;
}

/* Warns if no key is live any more. */
static void
say_last(struct invocation *in)
{
	struct token_slot_view view;
	struct err ignored = { 0 };

	if (token_slot_look(in->db, in->arena, "", &view, &ignored) == 0 && !view.any)
		output_note("warning: no key is live now, so new tokens have no proof, and the pool answers all reads "
		    "with tokens; `berth key add` makes a key");
}

static int
retire(struct invocation *in)
{
	static const char *const keys[] = { "slot", "retired" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };

	if (token_slot_retire(in->db, in->arena, &in->actor, in->args[0], &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_str(in->args[0]), cell_bool(true) });
	say_last(in);
	return 0;
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "slot", "fingerprint", "created_at", "retired_at" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct token_slot *slots;
	struct cell *cells;
	size_t n;

	if (token_slot_list(in->db, in->arena, &slots, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		struct cell row[NKEYS] = { cell_str(slots[i].slot), cell_str(slots[i].fingerprint),
			cell_time(slots[i].created_at), cell_time(slots[i].retired_at) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "add", "",
	    "Creates a key for the proofs of new tokens, adds it to the file that token_key of\n"
	    "the configuration names, and prints its slot.  Copy the file to\n"
	    "all hosts, then reload the pools and nginx.",
	    NULL, 0, 0, 0, add },
	{ "retire", "SLOT",
	    "Retires a key: nginx then passes all reads with its tokens to the pool.  The tokens\n"
	    "stay valid.  You can then remove the key's line from the file.",
	    NULL, 0, 1, 1, retire },
	{ "list", "", "Lists all slots that ever existed, without their keys.", NULL, 0, 0, 0, list },
};

const struct noun admin_key = { "key", COMMAND_LIST(commands) };
