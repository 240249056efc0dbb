#ifndef API_WEB_CI_TEXT_H
#define API_WEB_CI_TEXT_H

/* How to publish from CI: the files of conf/ci, with the address of this registry and of one project. */

#include <stdint.h>

#include "base/arena.h"

enum { CI_TEXTS = 4 };

struct ci_text {
	const char *title; /* "GitLab CI" */
	const char *text;
};

/* CI_TEXTS of them.  registry: its name for cargo, by registry_alias(). */
const struct ci_text *ci_texts(struct arena *, const char *external_url, int64_t project_id,
    const char *path, const char *registry);

#endif
