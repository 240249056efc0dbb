#ifndef TASKS_ANSWER_LINE_H
#define TASKS_ANSWER_LINE_H

/*
 * One line of nginx's log of the cache, the format berth of berth-http.conf:
 *
 *	2026-11-29T07:00:00+00:00 id=... remote=... method=GET path="/api/v4/..." status=200 ...
 *
 * The path is the address without its query, and nginx escapes quotes in it.
 *
 * Pure: bytes in, a route out.
 */

#include "base/slice.h"

/* Routes whose answers nginx may have in cache_dir, and errors that it made itself. */
enum answer_route {
	ANSWER_INDEX,
	ANSWER_CONFIG_JSON,
	ANSWER_DOWNLOAD,
	ANSWER_PAGE_CRATE,
	ANSWER_PAGE_VERSION,
	ANSWER_ERROR, /* no route: nginx itself has failed, whatever was asked for */
	ANSWER__ROUTES
};

/* "index", "config_json" and so on: names of routes, as in the metrics of requests; and "error". */
extern const char *const answer_route_names[ANSWER__ROUTES];

/* The route of a line, given without its end; ANSWER__ROUTES: it is no line of that log. */
enum answer_route answer_line_parse(struct slice line);

#endif
