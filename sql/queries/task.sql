-- name: task_add_missing
-- $1 kind, $2 key, $3 node, $4 arguments as JSON.  Adds nothing if there is such a task, dead or not:
-- waiting ones are found by tasks_key, dead ones by a scan of a table that is short.
INSERT INTO tasks (kind, key, node, args)
SELECT $1, $2, $3, $4::jsonb
 WHERE NOT EXISTS (SELECT FROM tasks j WHERE j.kind = $1 AND j.key = $2)
    ON CONFLICT (kind, key) WHERE dead_at IS NULL DO NOTHING;

-- name: task_listen
-- Reads no table.  From now on this connection gets the notifications that wake workers.
LISTEN berth_tasks;

-- name: task_schedule
-- $1 kind, $2 node or null, $3 period.  One row by tasks_key; written only if something changes.
INSERT INTO tasks AS j (kind, key, node, period) VALUES ($1, coalesce($2, ''), $2, $3)
    ON CONFLICT (kind, key) WHERE dead_at IS NULL DO UPDATE
   SET period = excluded.period,
       run_at = least(j.run_at, now() + make_interval(secs => excluded.period))
 WHERE j.period IS DISTINCT FROM excluded.period;

-- name: task_hasten
-- $1 kind.  One row by tasks_key.  Sends no notification, since the caller looks for a task next.
UPDATE tasks SET run_at = now()
 WHERE kind = $1 AND key = '' AND dead_at IS NULL AND attempts = 0 AND claimed_until IS NULL
   AND run_at > now();

-- name: task_claim
-- $1 kinds, $2 node, $3 worker, $4 seconds for which the claim is valid, $5 kinds that come first.  The
-- first due task, by tasks_due; locked rows are skipped, and rows that are not due are not read.  Sessions
-- are read only for the few claimed tasks.  A task that failed, or at which a worker died, is postponed
-- before it runs, as after so many failures (tasks/loop.c): if this worker dies as well, other tasks come
-- first, and no worker starts again without a pause.
UPDATE tasks SET runs = runs + 1, attempts = attempts + 1,
       run_at = CASE WHEN attempts = 0 THEN run_at
                     ELSE now() + make_interval(secs => least(5 * 2 ^ least(attempts - 1, 10), 900,
                         CASE WHEN period IS NOT NULL THEN greatest(period, 30) END)) END,
       claimed_until = now() + make_interval(secs => $4::integer), claimed_by = $3,
       backend_pid = pg_backend_pid(),
       backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())
 WHERE id = (
       SELECT j.id FROM tasks j
        WHERE j.dead_at IS NULL AND j.run_at <= now() AND j.kind = ANY ($1::text[])
          AND (j.node IS NULL OR j.node = $2)
          AND (j.claimed_until IS NULL OR j.claimed_until < now() OR NOT EXISTS (
               SELECT FROM pg_stat_activity a
                WHERE a.pid = j.backend_pid AND a.backend_start = j.backend_start))
        ORDER BY j.kind = ANY ($5::text[]) DESC, j.run_at, j.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, kind, args::text, runs, attempts, period IS NOT NULL AS periodic, progress::text;

-- name: task_remove_done
-- $1 task without a period, $2 run.  By primary key; if another worker has the claim by now, the row stays.
DELETE FROM tasks WHERE id = $1 AND runs = $2;

-- name: task_done
-- $1 task with a period, $2 run.  By primary key.
UPDATE tasks SET attempts = 0, error = NULL, progress = NULL, done_at = now(),
       run_at = now() + make_interval(secs => period),
       claimed_until = NULL, claimed_by = NULL, backend_pid = NULL, backend_start = NULL
 WHERE id = $1 AND runs = $2;

-- name: task_put_back
-- $1 task, $2 run, $3 the position at which to continue, as JSON or null.  By primary key.
UPDATE tasks SET attempts = 0, error = NULL, progress = $3::jsonb, run_at = now(),
       claimed_until = NULL, claimed_by = NULL, backend_pid = NULL, backend_start = NULL
 WHERE id = $1 AND runs = $2;

-- name: task_fail
-- $1 task, $2 run, $3 seconds to the next attempt, $4 the error, $5 true for no further attempt, $6 true
-- to start from the beginning.  By primary key.
UPDATE tasks SET error = $4, run_at = now() + make_interval(secs => $3::integer),
       dead_at = CASE WHEN $5::boolean THEN now() END,
       progress = CASE WHEN $6::boolean THEN NULL ELSE progress END,
       claimed_until = NULL, claimed_by = NULL, backend_pid = NULL, backend_start = NULL
 WHERE id = $1 AND runs = $2;

-- name: task_list
-- $1 kind or null, $2 whether to list only dead tasks.  For an administrator at a terminal: a scan of a
-- table that is short unless something is wrong.
SELECT id, kind,
       CASE WHEN dead_at IS NOT NULL THEN 'dead'
            WHEN claimed_until >= now() THEN 'running'
            WHEN attempts > 0 THEN 'failing'
            ELSE 'waiting' END AS state,
       attempts, extract(epoch FROM run_at)::bigint AS run_at, extract(epoch FROM done_at)::bigint AS done_at,
       extract(epoch FROM created_at)::bigint AS created_at, period::bigint, node, claimed_by, error,
       args::text
  FROM tasks
 WHERE ($1::text IS NULL OR kind = $1) AND (NOT $2::boolean OR dead_at IS NOT NULL)
 ORDER BY id;

-- name: task_retry
-- $1 task.  By primary key; a dead task does not change if another one with its key waits (tasks_key).
WITH old AS (
	SELECT id, kind, dead_at FROM tasks WHERE id = $1 FOR UPDATE
), woken AS (
	UPDATE tasks j SET dead_at = NULL, attempts = 0, run_at = now() FROM old
	 WHERE j.id = old.id AND NOT EXISTS (SELECT FROM tasks o WHERE old.dead_at IS NOT NULL
	   AND o.kind = j.kind AND o.key = j.key AND o.dead_at IS NULL)
	RETURNING j.id
)
SELECT old.id, woken.id IS NOT NULL AS changed, old.kind, pg_notify('berth_tasks', '')::text AS notified
  FROM old LEFT JOIN woken ON woken.id = old.id;

-- name: task_remove
-- $1 task.  One row by primary key.
DELETE FROM tasks WHERE id = $1 RETURNING id, true AS changed, kind;
