#include "store/token/gitlab_job.h"

#include "access/naming.h"
#include "store/token/gitlab_pin.h"

int
gitlab_job_ask(struct db *db, struct arena *a, struct slice digest, enum gitlab_job_ask *ask, bool *was_away,
    struct err *err)
{
	enum { COLUMNS_GITLAB_ASK };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_bytes(&p, digest);
	if (db_exec(db, a, STMT_GITLAB_ASK, &p, &r, err) == -1)
		return -1;
	*was_away = !db_is_null(&r, 0, AWAY);
	*ask = db_bool(&r, 0, VOUCHED) ? GITLAB_JOB_ASK_AGAIN : GITLAB_JOB_ASK;
	if (db_bool(&r, 0, REFUSED))
		*ask = GITLAB_JOB_REFUSED;
	else if (*was_away && db_bool(&r, 0, AWAY))
		*ask = GITLAB_JOB_AWAY;
	return 0;
}

int
gitlab_job_try(struct db *db, struct arena *a, bool *mine, struct err *err)
{
	enum { COLUMNS_GITLAB_TRY };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, GITLAB_JOB_AWAY_S);
	if (db_exec(db, a, STMT_GITLAB_TRY, &p, &r, err) == -1)
		return -1;
	*mine = db_bool(&r, 0, MINE);
	return 0;
}

int
gitlab_job_set_away(struct db *db, struct arena *a, bool away, struct err *err)
{
	struct db_params p = { 0 };

	if (!away)
		return db_exec(db, a, STMT_GITLAB_SET_BACK, NULL, NULL, err);
	db_bind_int(&p, GITLAB_JOB_AWAY_S);
	return db_exec(db, a, STMT_GITLAB_SET_AWAY, &p, NULL, err);
}

int
gitlab_job_refuse(struct db *db, struct arena *a, struct slice digest, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_bytes(&p, digest);
	db_bind_int(&p, GITLAB_JOB_REFUSED_S);
	return db_exec(db, a, STMT_GITLAB_REFUSE, &p, NULL, err);
}

struct admitting {
	struct arena *arena;
	const struct audit_actor *actor;
	const struct gitlab_job *job;
	bool known;
};

static void
bind(struct db_params *p, const struct gitlab_job *j)
{
	db_bind_bytes(p, j->digest);
	db_bind_str(p, j->username);
	db_bind_str(p, j->project_path);
	db_bind_int(p, GITLAB_JOB_GOOD_S);
	db_bind_str(p, j->gitlab);
	db_bind_str(p, naming_clean_text(j->name) != NULL ? j->name : "");
	db_bind_id(p, j->job.pipeline);
	db_bind_id(p, j->job.job);
	db_bind_str(p, naming_clean_url(j->job.job_url));
	db_bind_str(p, naming_clean_text(j->job.ref));
	db_bind_str(p, naming_clean_text(j->job.commit));
}

static int
admit_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_GITLAB_ADMIT };
	struct admitting *in = arg;
	const struct gitlab_job *j = in->job;
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.facts = { { "kind", "job", false }, { "source", "gitlab", false },
		    { "user", j->username, false },
		    audit_fact_int(in->arena, "gitlab_user_id", j->user_id),
		    { "job_url", naming_clean_url(j->job.job_url), false },
		    { "ref", naming_clean_text(j->job.ref), false },
		    { "commit", naming_clean_text(j->job.commit), false } } };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	bind(&p, j);
	if (db_exec(db, in->arena, STMT_GITLAB_ADMIT, &p, &r, err) == -1)
		return -1;
	in->known = r.rows == 1;
	if (!in->known)
		return 0;
	if (gitlab_pin_check(db, in->arena, j, db_int(&r, 0, USER_ID), db_int(&r, 0, PROJECT_ID), err) == -1)
		return -1;
	if (!db_bool(&r, 0, IS_NEW))
		return 0;
	event.id = db_int(&r, 0, ID);
	event.project_id = db_int(&r, 0, PROJECT_ID);
	return audit_add(db, in->arena, in->actor, &event, err);
}

int
gitlab_job_admit(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct gitlab_job *job, bool *known, struct err *err)
{
	struct admitting in = { a, actor, job, false };
	bool unknown;

	if (db_transaction(db, admit_body, &in, &unknown, err) == -1)
		return -1;
	*known = in.known;
	return 0;
}
