#include "store/package/fsck_problem.h"

const char *const fsck_kind_names[FSCK__MAX] = {
	[FSCK_INDEX] = "index",
	[FSCK_BLOB_MISSING] = "blob missing",
	[FSCK_BLOB_SIZE] = "blob size",
	[FSCK_BLOB_BYTES] = "blob bytes",
	[FSCK_VERSION] = "version",
	[FSCK_QUOTA] = "quota",
};

void
fsck_report(struct fsck *f, enum fsck_kind kind, const char *subject, const char *detail, bool repaired)
{
	f->problems++;
	f->repaired += repaired;
	f->say(f->arg, &(struct fsck_problem) { kind, subject, detail, repaired });
}
