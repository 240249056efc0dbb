#include "store/db/db_conn.h"

#include <assert.h>
#include <limits.h>

#include "base/buf.h"
#include "base/decimal.h"

/* The server takes no value of more than 1 GB; what comes here is bounded far below. */
enum { ARRAY_MAX = 64 << 20 };

static void
bind(struct db_params *p, const char *value, size_t n, bool binary)
{
	assert(p->n < DB_PARAMS_MAX && n <= INT_MAX);
	p->value[p->n] = value;
	p->length[p->n] = (int)n;
	p->binary[p->n] = binary;
	p->n++;
}

void
db_bind_int(struct db_params *p, int64_t v)
{
	char *text;

	assert(p->n < DB_PARAMS_MAX);
	text = p->number[p->n];
	decimal_write(v, text);
	bind(p, text, 0, false);
}

void
db_bind_bool(struct db_params *p, bool v)
{
	bind(p, v ? "t" : "f", 0, false);
}

void
db_bind_str(struct db_params *p, const char *s)
{
	bind(p, s, 0, false);
}

void
db_bind_slice(struct db_params *p, struct arena *a, struct slice s)
{
	assert(s.n == 0 || memchr(s.p, '\0', s.n) == NULL);
	bind(p, arena_slicedup(a, s), 0, false);
}

void
db_bind_bytes(struct db_params *p, struct slice s)
{
	/* NULL would be null, not empty */
	bind(p, s.p != NULL ? s.p : "", s.n, true);
}

void
db_bind_null(struct db_params *p)
{
	bind(p, NULL, 0, false);
}

static void
bind_unless_zero(struct db_params *p, int64_t v)
{
	if (v == 0)
		db_bind_null(p);
	else
		db_bind_int(p, v);
}

void
db_bind_id(struct db_params *p, int64_t id)
{
	bind_unless_zero(p, id);
}

void
db_bind_time(struct db_params *p, int64_t seconds)
{
	bind_unless_zero(p, seconds);
}

/* The text form of an array; every element is quoted, so that none needs thought. */
void
db_bind_array(struct db_params *p, struct arena *a, const char *const *v, size_t n)
{
	struct buf b;

	buf_init(&b, a, ARRAY_MAX);
	buf_putc(&b, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		if (v[i] == NULL) {
			buf_puts(&b, "NULL");
			continue;
		}
		buf_putc(&b, '"');
		for (const char *s = v[i]; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\')
				buf_putc(&b, '\\');
			buf_putc(&b, *s);
		}
		buf_putc(&b, '"');
	}
	buf_putc(&b, '}');
	assert(!buf_full(&b));
	bind(p, buf_str(&b), 0, false);
}

void
db_bind_ids(struct db_params *p, struct arena *a, const int64_t *ids, size_t n)
{
	const char **texts = arena_calloc(a, n, sizeof(*texts));

	for (size_t i = 0; i < n; i++) {
		char *text = arena_alloc(a, DECIMAL_SIZE);

		decimal_write(ids[i], text);
		texts[i] = text;
	}
	db_bind_array(p, a, texts, n);
}

static void
check_cell(const struct db_result *r, int row, int column)
{
	assert(r->pg != NULL && row >= 0 && row < r->rows);
	assert(column >= 0 && column < PQnfields(r->pg));
}

bool
db_is_null(const struct db_result *r, int row, int column)
{
	check_cell(r, row, column);
	return PQgetisnull(r->pg, row, column) == 1;
}

int64_t
db_int(const struct db_result *r, int row, int column)
{
	struct slice s = db_slice(r, row, column);
	uint64_t v;

	assert(s.n == 2 || s.n == 4 || s.n == 8);
	/* big-endian two's complement: start from the sign */
	v = (s.p[0] & 0x80) != 0 ? UINT64_MAX : 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return (int64_t)v;
}

bool
db_bool(const struct db_result *r, int row, int column)
{
	struct slice s = db_slice(r, row, column);

	assert(s.n == 1);
	return s.p[0] != 0;
}

int64_t
db_int_or_0(const struct db_result *r, int row, int column)
{
	return db_is_null(r, row, column) ? 0 : db_int(r, row, column);
}

int64_t
db_time(const struct db_result *r, int row, int column)
{
	return db_int_or_0(r, row, column);
}

struct slice
db_slice(const struct db_result *r, int row, int column)
{
	check_cell(r, row, column);
	return slice_of(PQgetvalue(r->pg, row, column), (size_t)PQgetlength(r->pg, row, column));
}

const char *
db_str(const struct db_result *r, int row, int column)
{
	return db_is_null(r, row, column) ? NULL : PQgetvalue(r->pg, row, column);
}

struct db_result
db_result_copy(const struct db_result *r)
{
	struct db_result copy = { .pg = r->pg == NULL ? NULL : PQcopyResult(r->pg, PG_COPYRES_TUPLES) };

	if (copy.pg != NULL)
		copy.rows = r->rows;
	return copy;
}

void
db_clear_result(void *res)
{
	PQclear(res);
}

void
db_result_end(struct db_result *r, struct arena *a)
{
	if (r->pg != NULL)
		arena_defer(a, db_clear_result, r->pg);
	*r = (struct db_result) { 0 };
}

static bool
cells_equal(const struct db_result *a, const struct db_result *b, int row, int column)
{
	struct slice x, y;

	if (db_is_null(a, row, column) != db_is_null(b, row, column))
		return false;
	x = db_slice(a, row, column);
	y = db_slice(b, row, column);
	return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

bool
db_results_equal(const struct db_result *a, const struct db_result *b, int columns)
{
	if (a->rows != b->rows)
		return false;
	for (int i = 0; i < a->rows * columns; i++) {
		if (!cells_equal(a, b, i / columns, i % columns))
			return false;
	}
	return true;
}
