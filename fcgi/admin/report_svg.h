#ifndef ADMIN_REPORT_SVG_H
#define ADMIN_REPORT_SVG_H

/*
 * The adoption of a registry as a picture: for each month how many have published, and how many
 * have downloaded, in stacked bars, as one SVG document that needs nothing else.
 */

#include <stddef.h>

#include "base/buf.h"
#include "store/report.h"

/* Appends the document.  title: in any characters; n months, at least one. */
void report_svg_write(struct buf *, const char *title, const struct report_month *, size_t n);

#endif
