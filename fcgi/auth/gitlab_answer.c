#include "auth/gitlab_answer.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/words.h"

static const char what[] = "GitLab's answer";

/* GitLab counts from 1: 0 has a meaning of its own in struct gitlab_job. */
static int
read_id(const struct json_get *in, const char *key, int64_t *id)
{
	if (json_get_int(in, key, true, id) == -1)
		return -1;
	if (*id <= 0)
		return err_set(in->err, 400, "%s: `%s` is %" PRId64 ", not a positive number", what, key, *id);
	return 0;
}

static int
read_pipeline(const struct json_get *job, struct token_job *out, int64_t *gitlab_project)
{
	struct json_get pipeline = { .what = what, .err = job->err };

	if (json_get_object(job, "pipeline", true, &pipeline.obj) == -1 ||
	    read_id(&pipeline, "id", &out->pipeline) == -1 ||
	    read_id(&pipeline, "project_id", gitlab_project) == -1 ||
	    json_get_str(&pipeline, "sha", false, &out->commit) == -1)
		return -1;
	return 0;
}

static int
read_user(const struct json_get *job, struct gitlab_job *out)
{
	struct json_get user = { .what = what, .err = job->err };

	if (json_get_object(job, "user", true, &user.obj) == -1 ||
	    read_id(&user, "id", &out->user_id) == -1)
		return -1;
	return json_get_str(&user, "username", true, &out->username);
}

/* GITLAB/group/project/-/jobs/8: the path between.  NULL: it is none of that GitLab. */
static const char *
project_path(struct arena *a, const char *gitlab, const char *web_url)
{
	size_t n = strlen(gitlab);
	const char *path, *end;

	if (strncmp(web_url, gitlab, n) != 0 || web_url[n] != '/')
		return NULL;
	path = web_url + n + 1;
	end = strstr(path, "/-/jobs/");
	return end == NULL || end == path ? NULL : arena_strndup(a, path, (size_t)(end - path));
}

/* Our project for one of GitLab's ids, by gitlab_projects: ID=GROUP/PROJECT ... */
static const char *
mapped_path(struct arena *a, const char *list, int64_t gitlab_project)
{
	const char *expected = arena_printf(a, "%" PRId64 "=", gitlab_project);
	struct slice word;

	while (words_next(&list, &word)) {
		if (slice_has_prefix(word, expected))
			return arena_strndup(a, word.p + strlen(expected), word.n - strlen(expected));
	}
	return NULL;
}

/* Is the path here one that gitlab_projects gives to some project of GitLab? */
static bool
is_mapped(const char *list, const char *path)
{
	struct slice word;

	while (words_next(&list, &word)) {
		size_t skip = strcspn(word.p, "=") + 1;

		if (word.n - skip == strlen(path) &&
		    strncasecmp(word.p + skip, path, word.n - skip) == 0)
			return true;
	}
	return false;
}

/*
 * Which project here it is: the one that gitlab_projects says, or the one of the same path, unless
 * that is another's.  401: it is another's.
 */
static int
find_project(const char *projects, struct arena *a, int64_t gitlab_project,
    struct gitlab_job *job, struct err *err)
{
	job->project_path = mapped_path(a, projects, gitlab_project);
	if (job->project_path != NULL)
		return 0;
	job->project_id = gitlab_project;
	job->project_path = project_path(a, job->gitlab, job->job.job_url);
	if (job->project_path == NULL)
		return err_set(err, 400, "%s describes a job of another server", what);
	if (is_mapped(projects, job->project_path))
		return err_set(err, 401,
		    "the project `%s` here is reserved for the jobs of another GitLab project",
		    job->project_path);
	return 0;
}

int
gitlab_answer_parse(struct arena *a, struct slice body, const char *projects, struct gitlab_job *job,
    const char **status, struct err *err)
{
	struct json_object *root;
	struct json_get get = { .what = what, .err = err };
	int64_t gitlab_project = 0;

	if (json_parse(a, body, what, &root, err) == -1)
		return -1;
	if (!json_object_is_type(root, json_type_object))
		return err_set(err, 400, "%s is not an object", what);
	get.obj = root;
	if (json_get_str(&get, "status", true, status) == -1 ||
	    read_id(&get, "id", &job->job.job) == -1 ||
	    json_get_str(&get, "web_url", true, &job->job.job_url) == -1 ||
	    json_get_str(&get, "ref", false, &job->job.ref) == -1 ||
	    json_get_str(&get, "name", false, &job->name) == -1 ||
	    read_pipeline(&get, &job->job, &gitlab_project) == -1 ||
	    read_user(&get, job) == -1)
		return -1;
	return find_project(projects, a, gitlab_project, job, err);
}
