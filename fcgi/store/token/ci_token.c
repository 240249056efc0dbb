#include "store/token/ci_token.h"

#include "access/naming.h"

struct admitting {
	struct arena *arena;
	const struct audit_actor *actor;
	const struct ci_token_admission *admission;
};

/* Is there a token of this credential? */
static int
is_known(struct db *db, const struct admitting *in, struct slice digest, bool *known, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_bytes(&p, digest);
	if (db_exec(db, in->arena, STMT_CI_TOKEN_KNOWN, &p, &r, err) == -1)
		return -1;
	*known = r.rows > 0;
	return 0;
}

/* *first: nobody has come with this identity token before. */
static int
use(struct db *db, const struct admitting *in, bool *first, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_bytes(&p, in->admission->id_digest);
	db_bind_int(&p, in->admission->id_ends_at);
	if (db_exec(db, in->arena, STMT_ID_TOKEN_USE, &p, &r, err) == -1)
		return -1;
	*first = r.rows == 1;
	return 0;
}

static int
pin(struct db *db, const struct admitting *in, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (in->admission->owner_id == NULL)
		return 0;
	db_bind_int(&p, in->admission->rule_id);
	db_bind_str(&p, in->admission->owner_id);
	if (db_exec(db, in->arena, STMT_TRUST_PIN, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 403, "the repository belongs to another owner than the rule names");
	return 0;
}

static void
bind_token(struct db_params *p, const struct ci_token_admission *ad)
{
	db_bind_int(p, ad->rule_id);
	db_bind_bytes(p, ad->digest);
	db_bind_str(p, ad->exchanged ? "exchange" : "id_token");
	db_bind_str(p, naming_clean_text(ad->repository) != NULL ? ad->repository : "");
	db_bind_int(p, ad->expires_at);
	db_bind_id(p, ad->job.pipeline);
	db_bind_id(p, ad->job.job);
	db_bind_str(p, naming_clean_url(ad->job.job_url));
	db_bind_str(p, naming_clean_text(ad->job.ref));
	db_bind_str(p, naming_clean_text(ad->job.commit));
	db_bind_str(p, ad->claims);
	db_bind_str(p, ad->handle);
}

static int
add(struct db *db, const struct admitting *in, struct err *err)
{
	enum { COLUMNS_CI_TOKEN_OF_RULE };
	const struct ci_token_admission *ad = in->admission;
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.facts = { { "kind", "job", false },
		    { "source", ad->exchanged ? "exchange" : "id_token", false },
		    { "repository", naming_clean_text(ad->repository), false },
		    { "job_url", naming_clean_url(ad->job.job_url), false },
		    { "ref", naming_clean_text(ad->job.ref), false },
		    { "commit", naming_clean_text(ad->job.commit), false },
		    audit_fact_int(in->arena, "rule_id", ad->rule_id),
		    audit_fact_time(in->arena, "expires_at", ad->expires_at) } };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	bind_token(&p, ad);
	if (db_exec(db, in->arena, STMT_CI_TOKEN_OF_RULE, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 403, "the rule that trusted this job is gone");
	/* another request of the job was faster */
	if (!db_bool(&r, 0, IS_NEW))
		return 0;
	event.id = db_int(&r, 0, ID);
	event.project_id = db_int(&r, 0, PROJECT_ID);
	return audit_add(db, in->arena, in->actor, &event, err);
}

/*
 * Of several requests that come with one identity token at once, the others wait at the
 * first statement for the one that is first; if that fails, the next one is.
 */
static int
admit_body(struct db *db, void *arg, struct err *err)
{
	const struct admitting *in = arg;
	const struct ci_token_admission *ad = in->admission;
	bool first, came = false, known = false;

	if (use(db, in, &first, err) == -1)
		return -1;
	if (!first && !ad->exchanged && (is_known(db, in, ad->first_digest, &came, err) == -1 ||
	        is_known(db, in, ad->digest, &known, err) == -1))
		return -1;
	if (!first && !came)
		return err_set(err, 400,
		    "the token has been used already; a job exchanges it once, and then uses the token that it gets");
	if (known)
		return 0;
	return pin(db, in, err) == -1 ? -1 : add(db, in, err);
}

int
ci_token_admit(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct ci_token_admission *admission, struct err *err)
{
	struct admitting in = { a, actor, admission };
	bool unknown;

	return db_transaction(db, admit_body, &in, &unknown, err);
}

int
ci_token_sweep(struct db *db, struct arena *a, int64_t *n, struct err *err)
{
	enum { COLUMNS_CI_TOKEN_SWEEP };
	struct db_result r;

	if (db_exec(db, a, STMT_CI_TOKEN_SWEEP, NULL, &r, err) == -1)
		return -1;
	*n = db_int(&r, 0, REMOVED);
	return 0;
}
