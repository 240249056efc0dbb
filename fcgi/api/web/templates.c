/* The templates of html/, as scripts/html2c has compiled them. */
#include "api/web/templates.h"

#include "http/html.h"

#include "api/web/templates.inc"
