#include "api/routes.h"

#include "api/config_json.h"
#include "api/download.h"
#include "api/index.h"
#include "api/monitoring.h"
#include "api/owners.h"
#include "api/package.h"
#include "api/packages.h"
#include "api/publish.h"
#include "api/publish_authorize.h"
#include "api/search.h"
#include "api/token_page.h"
#include "api/yank.h"

#define P        "api/v4/projects/:id%"
#define G        "api/v4/groups/:id%"
#define R        P "/packages/cargo"
#define READ     (METHOD_GET | METHOD_HEAD)
#define COUNT(x) (sizeof(x) / sizeof(*(x)))

/*
 * The index comes before the download: both have three segments, and
 * `do/wn/download` is the index file of a crate named `download`.
 * Of several routes with one path the first decides who is told that it takes no other methods:
 * let it be one that reads.
 */
static const struct route routes[] = {
	{ .name = "config_json", .methods = READ, .pattern = R "/config.json", .shape = SHAPE_TEXT,
	    .need = &config_json_need, .handle = config_json_handle },
	{ .name = "me", .methods = READ, .pattern = R "/me", .shape = SHAPE_TEXT,
	    .handle = token_page_redirect },
	{ .name = "index", .methods = READ, .pattern = R "/1/:crate", .shape = SHAPE_TEXT,
	    .need = &index_need, .handle = index_handle },
	{ .name = "index", .methods = READ, .pattern = R "/2/:crate", .shape = SHAPE_TEXT,
	    .need = &index_need, .handle = index_handle },
	{ .name = "index", .methods = READ, .pattern = R "/3/:prefix/:crate", .shape = SHAPE_TEXT,
	    .need = &index_need, .accept = index_accepts_first, .handle = index_handle },
	{ .name = "index", .methods = READ, .pattern = R "/:prefix/:prefix2/:crate",
	    .shape = SHAPE_TEXT, .need = &index_need, .accept = index_accepts_pairs,
	    .handle = index_handle },
	{ .name = "download", .methods = READ, .pattern = R "/:crate/:version/download",
	    .shape = SHAPE_TEXT, .need = &download_need, .handle = download_handle },
	{ .name = "publish_authorize", .methods = METHOD_PUT, .pattern = R "/api/v1/crates/new",
	    .shape = SHAPE_SUBREQUEST, .body = BODY_STREAM, .need = &publish_authorize_need,
	    .accept = request_is_subrequest, .handle = publish_authorize_handle },
	{ .name = "publish", .methods = METHOD_PUT, .pattern = R "/api/v1/crates/new",
	    .shape = SHAPE_CARGO, .body = BODY_STREAM, .need = &publish_need, .writes = true,
	    .handle = publish_handle },
	{ .name = "yank", .methods = METHOD_DELETE, .pattern = R "/api/v1/crates/:crate/:version/yank",
	    .shape = SHAPE_CARGO, .need = &yank_need, .writes = true, .handle = yank_handle },
	{ .name = "unyank", .methods = METHOD_PUT,
	    .pattern = R "/api/v1/crates/:crate/:version/unyank", .shape = SHAPE_CARGO,
	    .need = &yank_need, .writes = true, .handle = yank_handle_undo },
	{ .name = "search", .methods = READ, .pattern = R "/api/v1/crates", .shape = SHAPE_CARGO,
	    .need = &search_need, .handle = search_handle },
	{ .name = "owners", .methods = READ, .pattern = R "/api/v1/crates/:crate/owners",
	    .shape = SHAPE_CARGO, .need = &owners_list_need, .handle = owners_handle_list },
	{ .name = "owners_add", .methods = METHOD_PUT, .pattern = R "/api/v1/crates/:crate/owners",
	    .shape = SHAPE_CARGO, .body = BODY_PARAMS, .need = &owners_change_need,
	    .writes = true, .handle = owners_handle_add },
	{ .name = "owners_remove", .methods = METHOD_DELETE,
	    .pattern = R "/api/v1/crates/:crate/owners", .shape = SHAPE_CARGO, .body = BODY_PARAMS,
	    .need = &owners_change_need, .writes = true, .handle = owners_handle_remove },
	{ .name = "packages", .methods = READ, .pattern = P "/packages", .shape = SHAPE_GITLAB,
	    .body = BODY_PARAMS, .need = &packages_need, .handle = packages_list },
	{ .name = "packages_group", .methods = READ, .pattern = G "/packages", .shape = SHAPE_GITLAB,
	    .body = BODY_PARAMS, .need = &packages_group_need, .handle = packages_list_group },
	{ .name = "package", .methods = READ, .pattern = P "/packages/:package_id",
	    .shape = SHAPE_GITLAB, .need = &package_need, .handle = package_show },
	{ .name = "package_files", .methods = READ, .pattern = P "/packages/:package_id/package_files",
	    .shape = SHAPE_GITLAB, .body = BODY_PARAMS, .need = &package_need,
	    .handle = package_files },
	{ .name = "package_pipelines", .methods = READ, .pattern = P "/packages/:package_id/pipelines",
	    .shape = SHAPE_GITLAB, .body = BODY_PARAMS, .need = &package_need,
	    .handle = package_pipelines },
	{ .name = "token_page", .methods = READ, .pattern = "-/tokens", .shape = SHAPE_TEXT,
	    .handle = token_page_handle },
	{ .name = "liveness", .methods = READ, .pattern = "-/liveness", .shape = SHAPE_TEXT,
	    .need = &monitoring_need, .handle = monitoring_liveness },
	{ .name = "readiness", .methods = READ, .pattern = "-/readiness", .shape = SHAPE_TEXT,
	    .need = &monitoring_need, .handle = monitoring_readiness },
	{ .name = "metrics", .methods = READ, .pattern = "-/metrics", .shape = SHAPE_TEXT,
	    .need = &monitoring_need, .handle = monitoring_metrics },
};

static const struct route_shape shapes[] = {
	{ R "/api/v1", SHAPE_CARGO },
	{ R, SHAPE_TEXT },
	{ "api/v4", SHAPE_GITLAB },
};

const struct router api_router = { routes, COUNT(routes), shapes, COUNT(shapes) };
