/* postgresql_schema: the tables and functions of a ledger in PostgreSQL, and what is asked of them. */
#ifndef BRAZE_POSTGRESQL_SCHEMA_H
#define BRAZE_POSTGRESQL_SCHEMA_H

/* Whether there is a schema, and its version. */
#define BRAZE_POSTGRESQL_HAS_SCHEMA "SELECT (CASE WHEN to_regprocedure('braze_ledger_version()') IS NULL THEN 0 ELSE 1 END)::bigint"
#define BRAZE_POSTGRESQL_VERSION "SELECT braze_ledger_version()::bigint"

/* Durable whatever the server's own default is. A client that is gone is noticed within 40 s. Another session of the same owner, of which
   the server has not noticed yet that it is gone, may still hold the lock. */
#define BRAZE_POSTGRESQL_TAKE_OWNER \
  "SELECT set_config('synchronous_commit', 'on', false), set_config('tcp_keepalives_idle', '20', false)," \
  " set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '4', false), pg_try_advisory_lock($1::bigint)"

/* Times are microseconds. The quota, the time, whether another job has the pair; then the record. An owner lives as long as its session
   holds an advisory lock of its number. */
#define BRAZE_POSTGRESQL_RECORD \
  "j.job, j.state::bigint, j.token, j.owner, j.pair, j.quota_window," \
  " j.data, j.body, (CASE WHEN j.state = 1 AND EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory'" \
  " AND l.objsubid = 1 AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())" \
  " AND l.classid::bigint = (j.owner::bigint >> 32) AND l.objid::bigint = (j.owner::bigint & 4294967295)) THEN 1 ELSE 0 END)::bigint"

#define BRAZE_POSTGRESQL_LOAD \
  "SELECT q.quota_window, (extract(epoch FROM q.ends) * 1000000)::bigint, q.total::bigint, q.remaining::bigint," \
  " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint," \
  " (CASE WHEN $3::text <> '' AND EXISTS (SELECT 1 FROM braze_job p WHERE p.workspace = $1::text AND p.pair = $3::text" \
  " AND p.job <> $2::text)" \
  " THEN 1 ELSE 0 END)::bigint, " BRAZE_POSTGRESQL_RECORD \
  " FROM (SELECT 1) one LEFT JOIN braze_quota q ON q.workspace = $1::text LEFT JOIN braze_job j ON j.workspace = $1::text AND j.job = $2::text"

#define BRAZE_POSTGRESQL_LIST \
  "SELECT " BRAZE_POSTGRESQL_RECORD " FROM braze_job j WHERE j.workspace = $1::text ORDER BY j.job COLLATE \"C\""

#define BRAZE_POSTGRESQL_SWAP \
  "SELECT braze_ledger_swap($1::text, $2::text, $3::bigint, $4::integer, $5::bigint, $6::text, $7::text, $8::bigint, $9::text, $10::bytea," \
  " $11::integer, $12::bigint, to_timestamp($13::double precision), $14::integer, $15::integer)::bigint"

/* Made in one transaction, under a lock that lets several processes make it one by one. What is raised in the function undoes all that
   it has written; without a job the quota alone is: 0 is good, 1 changed, 2 used up. */
static const char braze_postgresql_schema[] =
    "BEGIN; SELECT pg_advisory_xact_lock(4784127063);"
    "CREATE TABLE IF NOT EXISTS braze_job (workspace text NOT NULL, job text NOT NULL, state smallint NOT NULL, token bigint NOT NULL,"
    " owner text NOT NULL, pair text NOT NULL, quota_window bigint NOT NULL, data text NOT NULL, body bytea NOT NULL,"
    " PRIMARY KEY (workspace, job));"
    "CREATE INDEX IF NOT EXISTS braze_job_pair ON braze_job (workspace, pair) WHERE pair <> '';"
    "CREATE TABLE IF NOT EXISTS braze_quota (workspace text PRIMARY KEY, quota_window bigint NOT NULL, ends timestamptz NOT NULL,"
    " total integer NOT NULL, remaining integer NOT NULL);"
    "CREATE OR REPLACE FUNCTION braze_ledger_swap(w text, j text, expected bigint, s integer, t bigint, o text, p text, win bigint, d text,"
    " b bytea, what integer, q_window bigint, q_ends timestamptz, q_total integer, q_left integer) RETURNS integer LANGUAGE plpgsql AS $f$ "
    "DECLARE n integer; BEGIN"
    " IF j <> '' THEN IF expected = 0 THEN"
    "  INSERT INTO braze_job VALUES (w, j, s, t, o, p, win, d, b) ON CONFLICT DO NOTHING;"
    " ELSIF s = 0 THEN DELETE FROM braze_job WHERE workspace = w AND job = j AND token = expected;"
    " ELSE UPDATE braze_job SET state = s, token = t, owner = o, pair = p, quota_window = win, data = d, body = b"
    "  WHERE workspace = w AND job = j AND token = expected; END IF;"
    " GET DIAGNOSTICS n = ROW_COUNT; IF n <> 1 THEN RAISE EXCEPTION 'braze' USING ERRCODE = 'BZ001'; END IF; END IF;"
    " IF what & 1 <> 0 THEN"
    "  IF q_window = 1 THEN INSERT INTO braze_quota VALUES (w, q_window, q_ends, q_total, q_left) ON CONFLICT DO NOTHING;"
    "  ELSE UPDATE braze_quota SET quota_window = q_window, ends = q_ends, total = q_total, remaining = q_left"
    "   WHERE workspace = w AND quota_window = q_window - 1; END IF;"
    "  GET DIAGNOSTICS n = ROW_COUNT; IF n <> 1 THEN RAISE EXCEPTION 'braze' USING ERRCODE = 'BZ001'; END IF; END IF;"
    " IF what & 2 <> 0 THEN"
    "  UPDATE braze_quota SET remaining = remaining - 1 WHERE workspace = w AND quota_window = q_window AND remaining > 0;"
    "  GET DIAGNOSTICS n = ROW_COUNT; IF n <> 1 THEN RAISE EXCEPTION 'braze' USING ERRCODE = 'BZ002'; END IF; END IF;"
    " IF what & 4 <> 0 THEN UPDATE braze_quota SET remaining = remaining + 1 WHERE workspace = w AND quota_window = q_window; END IF;"
    " IF what & 8 <> 0 THEN UPDATE braze_quota SET ends = q_ends, remaining = least(remaining, q_left),"
    "  total = CASE WHEN q_total > 0 THEN q_total ELSE total END WHERE workspace = w AND quota_window = q_window; END IF;"
    " RETURN 0;"
    " EXCEPTION WHEN SQLSTATE 'BZ001' THEN RETURN 1; WHEN SQLSTATE 'BZ002' THEN RETURN 2; END $f$;"
    "CREATE OR REPLACE FUNCTION braze_ledger_version() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint';"
    "COMMIT";

#endif
