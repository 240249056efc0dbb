#include "store/migrate/migrate_plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/migrate/migrate_applied.h"
#include "store/migrate/migrate_grant.h"
#include "store/migrate/migrate_step.h"
#include "store/migrate_sql.h"

enum { STATEMENT_MAX = 1 << 20, WORK_MAX = 4096, INDEXES_MAX = 512 };

/* Locks, from the weakest to the strongest. */
static const char *const locks[] = { "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
	"SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE" };

enum lock { ROWS, UPDATES, WRITES, WRITES_TOO, ALL };

/* A kind of statement, by its beginning and a part of it, and its effect on the table after `after`. */
static const struct pattern {
	const char *begins;
	const char *has;
	const char *after; /* NULL: after `begins` */
	enum lock lock;
	bool index; /* it names an index of the table */
	const char *work;
} patterns[] = {
	{ "ALTER TABLE ", " VALIDATE CONSTRAINT ", NULL, UPDATES, false, "reads all rows; nobody waits" },
	{ "ALTER TABLE ", " TYPE ", NULL, ALL, false, "rewrites the table; everybody waits" },
	{ "ALTER TABLE ", " STORED", NULL, ALL, false, "rewrites the table; everybody waits" },
	{ "ALTER TABLE ", " NOT VALID", NULL, ALL, false, "short" },
	{ "ALTER TABLE ", " SET NOT NULL", NULL, ALL, false, "reads all rows unless a check constraint proves it" },
	{ "ALTER TABLE ", " CHECK ", NULL, ALL, false, "reads all rows; everybody waits" },
	{ "ALTER TABLE ", " UNIQUE ", NULL, ALL, false, "builds an index; everybody waits" },
	{ "ALTER TABLE ", " REFERENCES ", NULL, ALL, false, "reads all rows; everybody waits" },
	{ "ALTER TABLE ", "", NULL, ALL, false, "short" },
	{ "CREATE INDEX CONCURRENTLY ", "", " ON ", UPDATES, false, "builds an index; nobody waits" },
	{ "CREATE INDEX ", "", " ON ", WRITES, false, "builds an index; writes wait" },
	{ "CREATE UNIQUE INDEX ", "", " ON ", WRITES, false, "builds an index; writes wait" },
	{ "CREATE TRIGGER ", "", " ON ", WRITES_TOO, false, "short" },
	{ "CREATE CONSTRAINT TRIGGER ", "", " ON ", WRITES_TOO, false, "short" },
	{ "DROP TRIGGER ", "", " ON ", ALL, false, "short" },
	{ "LOCK TABLE ", " IN SHARE ROW EXCLUSIVE MODE", NULL, WRITES_TOO, false, "until the step ends" },
	{ "LOCK TABLE ", "", NULL, ALL, false, "until the step ends" },
	{ "DROP INDEX ", "", NULL, ALL, true, "short" },
	{ "ALTER INDEX ", "", NULL, UPDATES, true, "short" },
	{ "UPDATE ", "", NULL, ROWS, false, "changes rows; their writers wait" },
	{ "DELETE FROM ", "", NULL, ROWS, false, "removes rows; their writers wait" },
	{ "INSERT INTO ", "", NULL, ROWS, false, "adds rows" },
};

/* Statements that make an index: they tell the table of an index that is dropped or renamed. */
static const char *const index_makers[] = { "CREATE INDEX CONCURRENTLY ", "CREATE UNIQUE INDEX ",
	"CREATE INDEX " };

struct planner {
	struct arena *arena;
	PGresult *tables;
	struct migrate_work *work;
	size_t n;
	struct {
		const char *name, *table;
	} indexes[INDEXES_MAX];
	size_t nindexes;
	const struct migration *m;
	size_t step;
	bool pending; /* not applied yet, so part of the plan */
};

/* The identifier at `p`. */
static char *
word(struct arena *a, const char *p)
{
	return arena_strndup(a, p, strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_"));
}

/* Adds a row to the plan, once, if the table exists. */
static void
plan_add(struct planner *p, const char *table, enum lock lock, const char *work)
{
	enum { COLUMNS_MIGRATE_SIZES };
	struct migrate_work w = { .m = p->m, .step = p->step, .lock = locks[lock], .work = work };

	if (!p->pending || table == NULL)
		return;
	for (int i = 0; i < PQntuples(p->tables); i++) {
		if (strcmp(PQgetvalue(p->tables, i, RELNAME), table) != 0)
			continue;
		w.table = arena_strdup(p->arena, table);
		w.rows = strtoll(PQgetvalue(p->tables, i, TUPLES), NULL, 10);
		w.bytes = strtoll(PQgetvalue(p->tables, i, BYTES), NULL, 10);
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct migrate_work *o = &p->work[i];

		if (w.table != NULL && o->table != NULL && o->m == w.m && o->step == w.step &&
		    strcmp(o->table, w.table) == 0 && o->lock == w.lock && strcmp(o->work, w.work) == 0)
			return;
	}
	if (w.table != NULL && p->n < WORK_MAX)
		p->work[p->n++] = w;
}

static const char *
table_of_index(const struct planner *p, const char *index)
{
	/* the last table that had an index of that name */
	for (size_t i = p->nindexes; i-- > 0;) {
		if (strcmp(p->indexes[i].name, index) == 0)
			return p->indexes[i].table;
	}
	return NULL;
}

static void
index_note(struct planner *p, const char *name, const char *table)
{
	if (p->nindexes == INDEXES_MAX || table == NULL)
		return;
	p->indexes[p->nindexes].name = name;
	p->indexes[p->nindexes++].table = table;
}

static void
note_indexes(struct planner *p, const char *sql)
{
	const char *renamed = strstr(sql, " RENAME TO ");

	for (size_t i = 0; i < sizeof(index_makers) / sizeof(*index_makers); i++) {
		size_t n = strlen(index_makers[i]);
		const char *on = strstr(sql, " ON ");

		if (strncmp(sql, index_makers[i], n) == 0 && on != NULL) {
			index_note(p, word(p->arena, sql + n), word(p->arena, on + strlen(" ON ")));
			return;
		}
	}
	if (strncmp(sql, "ALTER INDEX ", strlen("ALTER INDEX ")) == 0 && renamed != NULL)
		index_note(p, word(p->arena, renamed + strlen(" RENAME TO ")),
		    table_of_index(p, word(p->arena, sql + strlen("ALTER INDEX "))));
}

/* The tables that foreign keys of the statement refer to. */
static void
plan_references(struct planner *p, const char *sql)
{
	const char *to = sql;

	if (strncmp(sql, "CREATE TABLE ", strlen("CREATE TABLE ")) != 0 &&
	    strncmp(sql, "ALTER TABLE ", strlen("ALTER TABLE ")) != 0)
		return;
	while ((to = strstr(to, "REFERENCES ")) != NULL) {
		to += strlen("REFERENCES ");
		plan_add(p, word(p->arena, to), WRITES_TOO, "short");
	}
}

/* One statement, on one line. */
static void
plan_statement(struct planner *p, const char *sql)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const struct pattern *pat = &patterns[i];
		size_t n = strlen(pat->begins);
		const char *at = sql + n;
		char *name;

		if (strncmp(sql, pat->begins, n) != 0 || strstr(sql, pat->has) == NULL)
			continue;
		if (pat->after != NULL) {
			at = strstr(sql, pat->after);
			if (at == NULL)
				break;
			at += strlen(pat->after);
		}
		name = word(p->arena, at);
		plan_add(p, pat->index ? table_of_index(p, name) : name, pat->lock, pat->work);
		break;
	}
	plan_references(p, sql);
	note_indexes(p, sql);
}

/* The end of the quoted text at `s`: '...' or $$...$$. */
static const char *
skip_quoted(const char *s)
{
	const char *mark = s[0] == '\'' ? "'" : "$$";
	const char *end = strstr(s + strlen(mark), mark);

	return end == NULL ? s + strlen(s) : end + strlen(mark);
}

/* Splits the text into statements, without comments and quoted text, with single spaces. */
static void
plan_text(struct planner *p, const char *s)
{
	struct buf sql;

	buf_init(&sql, p->arena, STATEMENT_MAX);
	while (*s != '\0') {
		if (strncmp(s, "--", 2) == 0) {
			s += strcspn(s, "\n");
		} else if (s[0] == '\'' || strncmp(s, "$$", 2) == 0) {
			s = skip_quoted(s);
			buf_putc(&sql, '\'');
		} else if (*s == ';') {
			plan_statement(p, buf_str(&sql));
			buf_init(&sql, p->arena, STATEMENT_MAX);
			s++;
		} else if (strchr(" \t\n", *s) != NULL) {
			s += strspn(s, " \t\n");
			if (sql.n > 0)
				buf_putc(&sql, ' ');
		} else {
			buf_putc(&sql, *s++);
		}
	}
}

static void
plan_migration(struct planner *p, const struct migration *m)
{
	struct migrate_step *steps;
	size_t nsteps = migrate_steps(p->arena, m, &steps), before = p->n;

	p->m = m;
	for (size_t i = 0; i < nsteps; i++) {
		p->step = i + 1;
		if (steps[i].kind == STEP_BATCHES)
			plan_add(p, steps[i].name, ROWS, "changes rows in batches; their writers wait "
			    "briefly");
		else
			plan_text(p, steps[i].text);
	}
	/* it touches no existing table */
	if (p->pending && p->n == before && p->n < WORK_MAX)
		p->work[p->n++] = (struct migrate_work) { .m = m, .step = 1 };
}

/* Counts the applied migrations; 0 for a database without a table of them. */
static int
count_applied(PGconn *pg, size_t *done, int64_t *newer, struct err *err)
{
	enum { COLUMNS_MIGRATE_HAS_TABLES };
	PGresult *res = migrate_query(pg, "schema_migrations", SQL_MIGRATE_HAS_TABLES, NULL, 0, err);
	bool there = res != NULL && PQgetvalue(res, 0, THERE)[0] == 't';

	*done = 0;
	PQclear(res);
	if (res == NULL)
		return -1;
	return there ? migrate_applied(pg, done, newer, err) : 0;
}

static int
plan(PGconn *pg, struct planner *p, int64_t *newer, struct err *err)
{
	size_t done;

	if (migrate_sql(pg, "plan", "BEGIN READ ONLY", err) == -1 ||
	    count_applied(pg, &done, newer, err) == -1)
		return -1;
	p->tables = migrate_query(pg, "plan", SQL_MIGRATE_SIZES, NULL, 0, err);
	if (p->tables == NULL)
		return -1;
	/* applied migrations have made indexes, too */
	for (size_t i = 0; i < nmigrations; i++) {
		p->pending = i >= done;
		plan_migration(p, &migrations[i]);
	}
	return 0;
}

int
migrate_plan(const char *conninfo, struct arena *a, struct migrate_work **out, size_t *n,
    int64_t *newer, struct err *err)
{
	PGconn *pg = migrate_connect(conninfo, NULL, err);
	struct planner *p;
	int rc;

	*newer = 0;
	if (pg == NULL)
		return -1;
	p = arena_alloc(a, sizeof(*p));
	p->arena = a;
	p->work = arena_calloc(a, WORK_MAX, sizeof(*p->work));
	rc = plan(pg, p, newer, err);
	PQclear(p->tables);
	PQfinish(pg);
	*out = p->work;
	*n = p->n;
	return rc;
}
