#ifndef ACCESS_NAMING_H
#define ACCESS_NAMING_H

/*
 * The rules for names of users, groups and projects, checked before SQL sees
 * them, so that a person learns what is wrong.  The tables have the same rules
 * as constraints.
 */

#include "base/err.h"
#include "base/slice.h"

enum {
	NAMING_NAME_MAX = 255, /* bytes of a name, or of one segment of a path */
	NAMING_PATH_MAX = 1024, /* bytes of a full path: it must fit an index */
	NAMING_DEPTH_MAX = 20, /* segments of a path */
	NAMING_TEXT_MAX = 255 /* characters of a display name */
};

/* Letters, digits, `_`, `.`, `-`; not beginning with `.` or `-`.  -1: 400. */
int naming_check_username(const char *, struct err *) __attribute__((warn_unused_result));

/* The same for names with '/' between them.  -1: 400 "<what> `x` ...". */
int naming_check_path(const char *what, const char *path, struct err *)
    __attribute__((warn_unused_result));

/* One line of text for people: UTF-8 without control characters.  -1: 400. */
int naming_check_text(const char *what, const char *text, struct err *)
    __attribute__((warn_unused_result));

/* The text if it is such a line, otherwise NULL; NULL for NULL. */
const char *naming_clean_text(const char *text);

/* Checks a line that must be the URL of a web page.  -1: 400. */
int naming_check_url(const char *what, const char *url, struct err *)
    __attribute__((warn_unused_result));

/* The text if it is such a URL, otherwise NULL; NULL for NULL. */
const char *naming_clean_url(const char *url);

/* Something with an @ in it and no spaces.  -1: 400. */
int naming_check_email(const char *email, struct err *) __attribute__((warn_unused_result));

/* "a/b/c": "a/b" is the parent, "c" the name; the parent is empty without a '/'. */
void naming_split(const char *path, struct slice *parent, const char **name);

#endif
