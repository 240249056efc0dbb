#!/bin/sh
# Berth: run a command with a token that is made for it and ends with it; for a CI system of one's
# own, whose jobs have no identity that they could show.
#
#	job-token.sh USER PIPELINE JOB COMMAND ...
#
# BERTH_URL            https://registry.example.com
# BERTH_PROJECT        the number of the project in Berth, or its path with %2F for each slash
# BERTH_SERVICE_TOKEN  a deploy token that may make tokens of jobs, and nothing else:
#                      berth token add --deploy GROUP/PROJECT --scopes create_job_token
#
# It belongs to the runner and not to the jobs: it is not there for the command, which has
# CARGO_REGISTRIES_BERTH_TOKEN and what else cargo needs for `--registry berth`.  The command may do what
# USER may, a member of the project.
set -eu
[ $# -ge 4 ] || { echo 'usage: job-token.sh USER PIPELINE JOB COMMAND ...' >&2; exit 2; }
user=$1 pipeline=$2 job=$3
shift 3
service=$BERTH_SERVICE_TOKEN
unset BERTH_SERVICE_TOKEN
registry=$BERTH_URL/api/v4/projects/$BERTH_PROJECT/packages/cargo

# The token is read from a file by curl, so that it is no argument, which everybody can read.
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
