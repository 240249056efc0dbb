#ifndef ACCESS_TRUST_H
#define ACCESS_TRUST_H

/*
 * Which jobs of other CI systems a project trusts: a rule is a table of claims of an identity token
 * and a pattern for each; it lets a job in that matches all of them.  Only this module knows what the claims
 * of each kind of issuer mean.  Bytes in, judgement out; no I/O.
 *
 * In a pattern `*` stands for any characters, also for none.  A rule always names the trusted
 * repository, with its owner spelled out.  A missing claim matches no
 * pattern.
 *
 * A rule trusts jobs of a push (of a branch or a tag), of a schedule, of a release, and jobs that a person
 * with the right to it has started.  Jobs of any other event may run code of a stranger: the rule
 * must name the event.  A token without its event is refused, too.
 */

#include <stdint.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	TRUST_CLAIMS_MAX = 16, /* of one rule */
	TRUST_NAME_MAX = 64, /* bytes */
	TRUST_PATTERN_MAX = 255
};

enum trust_kind { TRUST_GITLAB, TRUST_GITHUB, TRUST_GITEA, TRUST_GENERIC, TRUST__NKINDS };

/* "gitlab", "github", "gitea", "generic": as in the database. */
extern const char *const trust_kind_names[TRUST__NKINDS];

/* -1: 400, naming the words that there are. */
int trust_kind_parse(const char *word, enum trust_kind *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Are these claims and patterns, an object of strings, fit for a rule?  -1: 400, saying what is
 * wrong: too many, a pattern for what every token is checked for anyway, no repository.
 */
int trust_check_patterns(enum trust_kind, struct json_object *patterns, struct err *)
    __attribute__((warn_unused_result));

/* As trust_match() judges. */
enum trust_verdict {
	TRUST_MATCHES,
	TRUST_OTHER, /* the token is of another repository: nothing more is said of the rule */
	TRUST_UNMET /* it is of this one, and err says what else the rule wants */
};

/*
 * Does the token meet the rule?  owner_id: the repository's owner when the rule was first used; a repository
 * of the same name with another owner does not match.  NULL: the rule has not been used yet.  For
 * TRUST_UNMET, err is set to 403.
 */
enum trust_verdict trust_match(struct arena *, enum trust_kind, struct json_object *patterns,
    const char *owner_id, struct json_object *claims, struct err *);

/* The repository of the token's job, and its owner, as the token's claims name them: for a message. */
const char *trust_name_repository(struct arena *, enum trust_kind, struct json_object *claims);

/*
 * The claims of a token about its job, for lists and the audit log; NULL or 0: the token has no such claim.
 */
struct trust_job {
	const char *repository;
	const char *owner_id;
	int64_t pipeline;
	int64_t job;
	const char *job_url;
	const char *ref;
	const char *commit;
	const char *claims; /* those that tell of the job, as a JSON object */
};

void trust_describe(struct arena *, enum trust_kind, const char *issuer,
    struct json_object *claims, struct trust_job *);

#endif
