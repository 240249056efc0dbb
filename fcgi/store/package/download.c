#include "store/package/download.h"

static void
bind_log(struct db_params *p, const struct download_log *log)
{
	db_bind_str(p, log->node);
	db_bind_str(p, log->fingerprint);
}

int
download_log_position(struct db *db, struct arena *a, const struct download_log *log,
    int64_t *position, struct err *err)
{
	enum { COLUMNS_DOWNLOAD_LOG_POSITION };
	struct db_params p = { .n = 0 };
	struct db_result r;

	bind_log(&p, log);
	if (db_exec(db, a, STMT_DOWNLOAD_LOG_POSITION, &p, &r, err) == -1)
		return -1;
	*position = r.rows == 0 ? 0 : db_int(&r, 0, POSITION);
	return 0;
}

int
download_logs_unfinished(struct db *db, struct arena *a, const char *node,
    const char **fingerprints, size_t *n, struct err *err)
{
	enum { COLUMNS_DOWNLOAD_LOGS_UNFINISHED };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	db_bind_array(&p, a, fingerprints, *n);
	if (db_exec(db, a, STMT_DOWNLOAD_LOGS_UNFINISHED, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	for (int i = 0; i < r.rows; i++)
		fingerprints[i] = db_str(&r, i, FINGERPRINT);
	return 0;
}

int
download_log_finish(struct db *db, struct arena *a, const struct download_log *log,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	bind_log(&p, log);
	return db_exec(db, a, STMT_DOWNLOAD_LOG_FINISH, &p, NULL, err);
}

struct count {
	struct arena *arena;
	const struct download_part *part;
	int64_t counted;
};

static int
count_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_DOWNLOAD_LOG_COUNT };
	struct count *count = arg;
	const struct download_part *part = count->part;
	struct db_params p = { .n = 0 };
	struct db_result r;

	bind_log(&p, &part->log);
	db_bind_int(&p, part->from);
	db_bind_int(&p, part->to);
	db_bind_str(&p, part->path);
	db_bind_int(&p, part->garbage);
	db_bind_slice(&p, count->arena, part->downloads);
	if (db_exec(db, count->arena, STMT_DOWNLOAD_LOG_COUNT, &p, &r, err) == -1)
		return -1;
	count->counted = db_bool(&r, 0, MOVED) ? db_int(&r, 0, COUNTED) : -1;
	return 0;
}

int
download_log_count(struct db *db, struct arena *a, const struct download_part *part,
    int64_t *counted, struct err *err)
{
	struct count count = { a, part, 0 };
	bool unknown;

	/* a statement alone would do, but would not be tried again after a deadlock */
	if (db_transaction(db, count_body, &count, &unknown, err) == -1)
		return -1;
	*counted = count.counted;
	return 0;
}
