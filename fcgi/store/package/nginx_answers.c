#include "store/package/nginx_answers.h"

#include <string.h>

int
nginx_answers_count(struct db *db, struct arena *a, const struct download_part *part,
    const struct nginx_answers *answers, bool *moved, struct err *err)
{
	enum { COLUMNS_NGINX_ANSWERS_COUNT };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, part->log.node);
	db_bind_str(&p, part->log.fingerprint);
	db_bind_int(&p, part->from);
	db_bind_int(&p, part->to);
	db_bind_str(&p, part->path);
	db_bind_int(&p, part->garbage);
	db_bind_array(&p, a, answers->routes, NGINX_ANSWERS_ROUTES);
	db_bind_ids(&p, a, answers->n, NGINX_ANSWERS_ROUTES);
	if (db_exec(db, a, STMT_NGINX_ANSWERS_COUNT, &p, &r, err) == -1)
		return -1;
	*moved = db_bool(&r, 0, MOVED);
	return 0;
}

int
nginx_answers_read(struct db *db, struct arena *a, const char *node, struct nginx_answers *answers,
    size_t *nroutes, int64_t *errors, struct err *err)
{
	enum { COLUMNS_NGINX_ANSWERS };
	const char **routes = arena_calloc(a, NGINX_ANSWERS_ROUTES, sizeof(*routes));
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	if (db_exec(db, a, STMT_NGINX_ANSWERS, &p, &r, err) == -1)
		return -1;
	*nroutes = 0;
	*errors = 0;
	for (int i = 0; i < r.rows && i < NGINX_ANSWERS_ROUTES; i++) {
		if (strcmp(db_str(&r, i, ROUTE), "error") == 0) {
			*errors = db_int(&r, i, ANSWERS);
			continue;
		}
		routes[*nroutes] = db_str(&r, i, ROUTE);
		answers->n[(*nroutes)++] = db_int(&r, i, ANSWERS);
	}
	answers->routes = routes;
	return 0;
}
