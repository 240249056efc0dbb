#include "store/namespace_ref.h"

void
namespace_ref_bind(struct db_params *p, struct arena *a, const struct namespace_ref *project)
{
	if (project->id != 0) {
		db_bind_int(p, project->id);
		db_bind_null(p);
	} else {
		db_bind_null(p);
		db_bind_slice(p, a, project->path);
	}
}
