#include "store/package/index_grow.h"

#include <string.h>

#include "base/gzip.h"
#include "store/package/index_rebuild.h"

int64_t
index_file_size(const struct index_file *file)
{
	return gzip_text_size(file->tail);
}

bool
index_file_is_damaged(const struct index_file *file)
{
	int64_t size = index_file_size(file);

	if (file->tail.n == 0)
		return false;
	return size > INDEX_REBUILD_MAX || size > file->bytes * GZIP_RATIO_MAX ||
	    (file->last_line != NULL && size <= (int64_t)strlen(file->last_line));
}

bool
index_grow_can(const struct index_file *file)
{
	/* with a last line and no bytes, the file is lost */
	return file->tail.n == 0 ? file->last_line == NULL
	    : file->last_line != NULL && !index_file_is_damaged(file) &&
	      gzip_can_grow(file->head, file->tail);
}

int
index_grow_call(struct db_call *call, struct arena *a, const struct index_file *file,
    const struct index_growth *growth, struct err *err)
{
	struct slice text = slice_str(arena_printf(a, "%.*s\n", (int)growth->line.n, growth->line.p));
	struct db_params *p = &call->params;
	struct slice bytes;
	int rc = file->tail.n == 0 ? gzip_member(a, text, &bytes, err)
				   : gzip_grow(a, file->tail, slice_str(arena_printf(a, "%s\n", file->last_line)),
					 text, &bytes, err);

	if (rc == -1)
		return -1;
	call->stmt = STMT_CRATE_GROW_INDEX;
	db_bind_int(p, growth->project_id);
	db_bind_str(p, growth->name);
	db_bind_str(p, growth->normalized_name);
	db_bind_int(p, file->revision);
	db_bind_int(p, (int64_t)file->tail.n);
	db_bind_bytes(p, bytes);
	return 0;
}

bool
index_grow_done(const struct db_call *call, const struct index_file *file)
{
	enum { COLUMNS_CRATE_GROW_INDEX };

	/* if the crate was removed meanwhile, the statement has made a new one with a part of its file: number 1 */
	return call->result.rows == 1 && db_int(&call->result, 0, REVISION) == file->revision + 1;
}
