#ifndef API_WEB_PAGE_H
#define API_WEB_PAGE_H

/*
 * The common part of all pages: the viewer, the layout around the content (html/layout.html), and the
 * answer.  Pages to read also share the decision whether this viewer may see a project or group, which is
 * access_decide(), and the page for what does not exist.
 */

#include "access/secret.h"
#include "api/web/web_session.h"
#include "call/call.h"
#include "http/html.h"
#include "store/web/page_rows.h"

enum { PAGE_HTML_MAX = 4 << 20 };

struct page {
	struct call *call; /* of a page to read, as the next one */
	struct request *rq;
	const char *title;
	const char *root; /* the path of external_url */
	int64_t user_id; /* 0: nobody is signed in */
	const char *username; /* "" then */
	const char *query; /* in the search box */
	const char *feed; /* the address of its feed below /-/; NULL: it has none */
	struct html_pair back[2]; /* the query of a link to the sign-in, with the way back (api/web/way_back.h) */
	bool has_search; /* there are pages to read */
	bool has_tokens; /* there is a token page */
	bool has_images; /* of other web servers, so that it needs a policy of its own */
	const char *kept; /* its path below /-/, if nginx may send it to anyone; NULL: it may not */
	const char *missing; /* what does not exist, for a 404; NULL: the page does not say */
	/* what exists above it, or in its place, and its path below /-/; NULL: nothing */
	const char *above, *above_path;
	char form[SECRET_FORM_SIZE]; /* what makes a form one of this session's; "": the page has no forms */
	struct buf html;
};

/* A page for whoever has the session, which may be NULL. */
void page_init(struct page *, const struct worker_app *, struct request *, const struct web_session *,
    const char *title);

/* The same with forms, of a session that has a user and that the answer may begin. */
void page_init_forms(struct page *, const struct worker_app *, struct request *, const struct web_session *,
    const char *title);

/* Lets a sign-in lead back to this address; NULL: to the tokens. */
void page_set_back(struct page *, const char *to);

/* The text of an error as a sentence, with a capital letter and a full stop. */
const char *page_sentence(struct arena *, const char *);

/* Answers with the page's HTML and the session's cookie.  -1: 500 it is longer than PAGE_HTML_MAX. */
int page_respond(const struct page *, struct response *, const struct web_session *, int status)
    __attribute__((warn_unused_result));

/*
 * Makes a page to read: finds the viewer, lets `show` write the content, and answers with it.  Where `show`
 * fails because of the request, the answer is a page with the error; a 401 becomes 404 there.  If a replica
 * fails that `show` reads from, `show` runs again.  -1: 404 pages are switched off, 400, 403, 503, 500.
 */
int page_run(struct call *, struct request *, struct response *, int (*show)(struct page *))
    __attribute__((warn_unused_result));

/*
 * Makes a page of an error below /-/, if the client accepts HTML: an error that no page answers itself,
 * such as an unknown address or a database that is away.  The address of a page with an extra slash at its
 * end, or of a project with `/-/crates` at its end, or `/-`, gets 308, whatever the client accepts.
 */
void page_refuse(struct worker_app *, struct request *, struct response *);

/*
 * Decides whether the viewer may do this in the project or group that the path names, and keeps the facts
 * in page->call->facts.  -1: 403; 404, also where the flag is off; 503.
 */
int page_decide(struct page *, enum namespace_kind, enum action, enum flag)
    __attribute__((warn_unused_result));

/* The same for a project that the viewer shall know of, by page_may_know().  -1: 404, 503. */
int page_know_project(struct page *) __attribute__((warn_unused_result));

/*
 * Keeps a 404 for a version, for a viewer who may read the project: the page says what rq->err says, and
 * links to the crate.  crate NULL: it does not exist, or has no page; then the page says that the project has
 * no crate of the name in the address, and links to the project.  Always -1.
 */
int page_refuse_version(struct page *, const char *crate);

/* The same for a version that was not found: looks for the crate, by any spelling.  Always -1. */
int page_miss_version(struct page *, struct slice crate, struct slice version);

/* Returns the handle for what the page shows, unlike what it decides: it may be that of a replica. */
struct db *page_db(const struct page *);

/* Adds the facts to rows from there, which page_rows_judged() needs.  -1: 503. */
int page_find_facts(const struct page *, struct page_rows *) __attribute__((warn_unused_result));

/* May the viewer do that as well? */
bool page_may(const struct page *, enum action);

/*
 * Both decide by access_decide(), about a viewer and one project.  May the viewer read its packages?  May
 * the viewer know of it, which is also true where only its packages are public (`public_packages`)?
 */
bool page_may_read(const struct access_facts *);
bool page_may_know(const struct access_facts *);

/* Returns the rows of that part for whose projects `may` is true. */
struct page_rows page_rows_judged(const struct page *, const struct page_rows *, const char *part,
    bool (*may)(const struct access_facts *));

/* The path of a project or group, taken apart. */
struct page_crumb {
	const char *name;
	const char *path; /* up to this name */
};

/* The last crumb is the path itself.  The page sets the other members, which lead back further. */
struct page_crumbs {
	struct page_crumb *v;
	size_t n;
	bool is_inside; /* the page is about something in that project */
	const char *crate, *version; /* above the page; NULL: none */
	bool has_files; /* the list of all files of the version is above the page, too */
};
struct page_crumbs page_crumbs(struct arena *, const char *path);

/* Which rows of a list are shown, and where the others are. */
struct page_turn {
	int64_t number; /* from 1 */
	int64_t total; /* of all rows */
	int64_t size;
};

enum { PAGE_NUMBER_MAX = 10000 };

/* Reads `page` of the query.  -1: 400. */
int page_turn_read(struct page *, int64_t size, struct page_turn *) __attribute__((warn_unused_result));
struct page_range page_turn_range(const struct page_turn *);
int64_t page_turn_last(const struct page_turn *);
int64_t page_turn_before(const struct page_turn *); /* of one past the last one, that is the last one */
bool page_turn_goes_on(const struct page_turn *);

#endif
