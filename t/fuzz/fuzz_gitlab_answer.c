#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auth/gitlab_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The project of a job is the one that gitlab_projects gives to its number, and nobody else's. */
static void
check(const struct gitlab_job *job, const char *status)
{
	assert(status != NULL && job->username != NULL);
	assert(job->job.job > 0 && job->job.pipeline > 0 && job->user_id > 0 && job->project_id >= 0);
	assert(job->project_path[0] != '\0');
	assert((job->project_id == 0) ==
	    (strcmp(job->project_path, "ours/eight") == 0 || strcmp(job->project_path, "ours/nine") == 0));
	assert(job->project_id != 8 && job->project_id != 9);
	assert(strncmp(job->job.job_url, job->gitlab, strlen(job->gitlab)) == 0 || job->project_id == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char projects[] = "8=ours/eight 9=ours/nine";
	struct gitlab_job job = { .gitlab = "https://gitlab.example" };
	struct slice body = slice_of((const char *)p, n);
	struct arena *a = arena_new();
	const char *status = NULL;
	struct err err = { 0 };

	if (gitlab_answer_parse(a, body, projects, &job, &status, &err) == 0)
		check(&job, status);
	else
		assert(err.status == 400 || err.status == 401);
	arena_free(a);
	return 0;
}
