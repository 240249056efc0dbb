#!/bin/sh
# Berth: run a command with its own token, which ends with the command.  Use this for your own CI
# system, if its jobs have no identity tokens.
#
#	job-token.sh USER PIPELINE JOB COMMAND ...
#
# BERTH_URL            https://registry.example.com
# BERTH_PROJECT        the number of the project in Berth, or its path with %2F for each slash
# BERTH_SERVICE_TOKEN  a deploy token that can only create and revoke tokens of jobs:
#                      berth token add --deploy tools/crates --scopes create_job_token
#
# BERTH_SERVICE_TOKEN belongs to the runner, and the command does not get it.  The command gets
# CARGO_REGISTRIES_BERTH_TOKEN and the other variables that cargo needs for `--registry berth`.  It has the
# rights of USER, a member of the project.
set -eu
[ $# -ge 4 ] || { echo 'usage: job-token.sh USER PIPELINE JOB COMMAND ...' >&2; exit 2; }
user=$1 pipeline=$2 job=$3
shift 3
service=$BERTH_SERVICE_TOKEN
unset BERTH_SERVICE_TOKEN
registry=$BERTH_URL/api/v4/projects/$BERTH_PROJECT/packages/cargo

# curl reads the token from a file, since all users can read the arguments of a process.
call() {
	printf 'header = "DEPLOY-TOKEN: %s"\n' "$service" |
	    curl --fail-with-body -sS -K - "$@"
}

field() {
	sed -n "s/.*\"$1\" *: *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

answer=$(call --data-urlencode "user=$user" --data-urlencode "pipeline=$pipeline" \
    --data-urlencode "job=$job" --data-urlencode "ttl=86400" "$registry/job_tokens") ||
    { printf '%s\n' "$answer" >&2; exit 1; }
id=$(printf '%s' "$answer" | field id)
trap 'call -X DELETE "$registry/job_tokens/$id"' EXIT
trap 'exit 1' HUP INT TERM

CARGO_REGISTRIES_BERTH_TOKEN=$(printf '%s' "$answer" | field token) \
    CARGO_REGISTRIES_BERTH_INDEX="sparse+$registry/" \
    CARGO_REGISTRIES_BERTH_CREDENTIAL_PROVIDER=cargo:token "$@"
