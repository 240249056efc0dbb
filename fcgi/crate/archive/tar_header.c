#include "crate/archive/tar_header.h"

#include <inttypes.h>
#include <string.h>

#include "crate/archive/malformed.h"

enum { NAME_AT = 0, CHECKSUM_AT = 148, TYPE_AT = 156, MAGIC_AT = 257, PREFIX_AT = 345 };
enum { CHECKSUM_SIZE = 8, MAGIC_SIZE = 8 };

enum number { MODE, UID, GID, SIZE, MTIME, CHECKSUM, NUMBERS };

static const struct field {
	const char *name;
	size_t at, n;
	bool required; /* the others may be blank: cargo leaves uid and gid so */
	bool binary; /* GNU's base 256 is let pass: nobody here reads the value */
} fields[NUMBERS] = {
	[MODE] = { "mode", 100, 8, false, false },
	[UID] = { "uid", 108, 8, false, true },
	[GID] = { "gid", 116, 8, false, true },
	[SIZE] = { "size", 124, 12, true, false },
	[MTIME] = { "mtime", 136, 12, false, true },
	[CHECKSUM] = { "checksum", CHECKSUM_AT, CHECKSUM_SIZE, true, false },
};

static const struct magic {
	char bytes[MAGIC_SIZE + 1];
	bool prefix; /* GNU keeps other things in the bytes of the prefix */
	bool extensions; /* cargo takes those of another format for files */
	/*
	 * From here on there must be nothing.  GNU has a map of holes there, which libarchive
	 * goes by whatever the type says, and most others do not: two contents of one file.
	 */
	size_t blank_from;
} magics[] = {
	{ "ustar\0" "00", true, true, 500 }, /* POSIX */
	{ "ustar  \0", false, true, 369 }, /* GNU: what cargo writes; before it are two times */
	{ "\0\0\0\0\0\0\0\0", false, false, 265 }, /* Version 7: what the first cargos wrote */
};

static const struct {
	unsigned char type;
	const char *name;
} type_names[] = {
	{ '0', "Regular" },
	{ '1', "Link" },
	{ '2', "Symlink" },
	{ '3', "Char" },
	{ '4', "Block" },
	{ '5', "Directory" },
	{ '6', "Fifo" },
	{ '7', "Continuous" },
	{ 'K', "GNULongLink" },
	{ 'L', "GNULongName" },
	{ 'S', "GNUSparse" },
	{ 'g', "XGlobalHeader" },
	{ 'x', "XHeader" },
};

const char *
tar_header_type_name(unsigned char type)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(*type_names); i++) {
		if (type_names[i].type == type)
			return type_names[i].name;
	}
	return NULL;
}

/* Blanks, octal digits, then only blanks and NULs.  12 digits are 36 bits: no overflow. */
static bool
octal_parse(const unsigned char *p, size_t n, bool required, uint64_t *value)
{
	size_t i = 0, digits;

	*value = 0;
	while (i < n && p[i] == ' ')
		i++;
	for (digits = i; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		*value = *value << 3 | (uint64_t)(p[i] - '0');
	if (required && i == digits)
		return false;
	while (i < n && (p[i] == ' ' || p[i] == '\0'))
		i++;
	return i == n;
}

static int
numbers_parse(const unsigned char *block, uint64_t at, uint64_t values[NUMBERS], struct err *err)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		const struct field *f = &fields[i];

		if (f->binary && (block[f->at] & 0x80) != 0)
			continue;
		if (!octal_parse(block + f->at, f->n, f->required, &values[i]))
			return err_set(err, 400, MALFORMED ": bad %s in the header at byte %" PRIu64,
			    f->name, at);
	}
	return 0;
}

/* The sum of all bytes, those of the checksum itself taken as blanks. */
static uint64_t
checksum(const unsigned char *block)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_SIZE ? ' ' : block[i];
	return sum;
}

/* A name ends at the first NUL; what hides behind it is no name that all readers see. */
static bool
text_parse(const unsigned char *p, size_t size, struct slice *text)
{
	size_t n = strnlen((const char *)p, size);

	*text = slice_of((const char *)p, n);
	for (size_t i = n; i < size; i++) {
		if (p[i] != '\0')
			return false;
	}
	return true;
}

static const struct magic *
magic_find(const unsigned char *block)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		if (memcmp(block + MAGIC_AT, magics[i].bytes, MAGIC_SIZE) == 0)
			return &magics[i];
	}
	return NULL;
}

static bool
is_blank(const unsigned char *block, size_t from)
{
	for (size_t i = from; i < TAR_BLOCK; i++) {
		if (block[i] != '\0')
			return false;
	}
	return true;
}

int
tar_header_parse(const unsigned char block[TAR_BLOCK], uint64_t at, struct tar_header *h,
    struct err *err)
{
	const struct magic *magic = magic_find(block);
	uint64_t values[NUMBERS] = { 0 };

	if (magic == NULL)
		return err_set(err, 400, MALFORMED ": no tar header at byte %" PRIu64, at);
	if (numbers_parse(block, at, values, err) == -1)
		return -1;
	if (values[CHECKSUM] != checksum(block))
		return err_set(err, 400, MALFORMED ": wrong checksum in the header at byte %" PRIu64,
		    at);
	if (!is_blank(block, magic->blank_from))
		return err_set(err, 400, MALFORMED ": the header at byte %" PRIu64
		    " has data after its end", at);
	h->type = block[TYPE_AT] == '\0' ? TAR_FILE : block[TYPE_AT];
	if (!magic->extensions && (h->type == TAR_LONG_NAME || h->type == TAR_PAX))
		return err_set(err, 400, MALFORMED ": an extension header of a format that has "
		    "none, at byte %" PRIu64, at);
	h->size = values[SIZE];
	h->mode = (unsigned)values[MODE];
	h->prefix = slice_of("", 0);
	if (!text_parse(block + NAME_AT, TAR_NAME_SIZE, &h->name) ||
	    (magic->prefix && !text_parse(block + PREFIX_AT, TAR_PREFIX_SIZE, &h->prefix)))
		return err_set(err, 400, MALFORMED ": a name in the header at byte %" PRIu64
		    " has data after its end", at);
	return 0;
}
