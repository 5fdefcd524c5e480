/* redis_scripts: what is done in Redis in one step each. The one key is "braze:{workspace}", the beginning of all keys that are used. */
#ifndef BRAZE_REDIS_SCRIPTS_H
#define BRAZE_REDIS_SCRIPTS_H

/* Before Redis 5 a script that asks for the time must say first that its effects are what is copied to replicas. */
#define BRAZE_REDIS_BEGIN "if redis.replicate_commands then redis.replicate_commands() end local k = KEYS[1] "

/* A record as a list: job, state, token, owner, pair, window, data, body, whether its owner lives. */
#define BRAZE_REDIS_RECORD \
  "local function record(job) " \
  "local r = redis.call('HMGET', k .. ':job:' .. job, 'state', 'token', 'owner', 'pair', 'window', 'data', 'body') " \
  "if not r[1] then return {} end " \
  "local alive = r[1] == '1' and redis.call('EXISTS', k .. ':owner:' .. r[3]) or 0 " \
  "return { job, r[1], r[2], r[3], r[4], r[5], r[6], r[7], tostring(alive) } end "

/* ARGV: job, pair. */
#define BRAZE_REDIS_LOAD \
  BRAZE_REDIS_BEGIN BRAZE_REDIS_RECORD \
      "local t = redis.call('TIME') " \
      "local q = redis.call('HMGET', k .. ':quota', 'window', 'ends', 'total', 'left') " \
      "local known = '0' " \
      "if ARGV[2] ~= '' then local other = redis.call('HGET', k .. ':pairs', ARGV[2]) " \
      "if other and other ~= ARGV[1] then known = '1' end end " \
      "return { t[1], t[2], q[1] or '0', q[2] or '0', q[3] or '0', q[4] or '0', known, ARGV[1] == '' and {} or record(ARGV[1]) }"

/* ARGV: from, how many. The number of names, and their records. */
#define BRAZE_REDIS_LIST \
  BRAZE_REDIS_BEGIN BRAZE_REDIS_RECORD \
      "local jobs, records = redis.call('ZRANGEBYLEX', k .. ':jobs', ARGV[1], '+', 'LIMIT', 0, tonumber(ARGV[2])), {} " \
      "for i, job in ipairs(jobs) do records[i] = record(job) end return records"

/* ARGV: job ("": the quota alone is written), expected token, state, token, owner, pair, window, data, body, begin, take, give, learn, the
   quota's window, ends, total, left, milliseconds that the owner's lease lasts. All is checked before anything is written. */
#define BRAZE_REDIS_SWAP \
  BRAZE_REDIS_BEGIN \
  "local a, j, q = ARGV, k .. ':job:' .. ARGV[1], k .. ':quota' " \
  "local old = redis.call('HMGET', j, 'token', 'pair') " \
  "if (old[1] or '0') ~= a[2] then return 1 end " \
  "local now = redis.call('HMGET', q, 'window', 'left') " \
  "local window, left = tonumber(now[1] or '0'), tonumber(now[2] or '0') " \
  "local wanted = tonumber(a[14]) " \
  "if a[10] == '1' then if window ~= wanted - 1 then return 1 end window, left = wanted, tonumber(a[17]) end " \
  "if a[11] == '1' then if window ~= wanted then return 1 end if left <= 0 then return 2 end left = left - 1 end " \
  "if a[10] == '1' then redis.call('HMSET', q, 'window', a[14], 'ends', a[15], 'total', a[16]) end " \
  "if window == wanted then " \
  "if a[12] == '1' then left = left + 1 end " \
  "if a[13] == '1' then left = math.min(left, tonumber(a[17])) redis.call('HSET', q, 'ends', a[15]) " \
  "if a[16] ~= '0' then redis.call('HSET', q, 'total', a[16]) end end " \
  "if a[10] == '1' or a[11] == '1' or a[12] == '1' or a[13] == '1' then redis.call('HSET', q, 'left', tostring(left)) end end " \
  "if a[1] == '' then return 0 end " \
  "if old[2] and old[2] ~= '' and redis.call('HGET', k .. ':pairs', old[2]) == a[1] then redis.call('HDEL', k .. ':pairs', old[2]) end " \
  "if a[3] == '0' then redis.call('DEL', j) redis.call('ZREM', k .. ':jobs', a[1]) return 0 end " \
  "redis.call('HMSET', j, 'state', a[3], 'token', a[4], 'owner', a[5], 'pair', a[6], 'window', a[7], 'data', a[8], 'body', a[9]) " \
  "redis.call('ZADD', k .. ':jobs', 0, a[1]) " \
  "if a[6] ~= '' then redis.call('HSETNX', k .. ':pairs', a[6], a[1]) end " \
  "if a[3] == '1' then redis.call('SET', k .. ':owner:' .. a[5], '1', 'PX', a[18]) end " \
  "return 0"

/* ARGV: owner, milliseconds. */
#define BRAZE_REDIS_RENEW BRAZE_REDIS_BEGIN "redis.call('SET', k .. ':owner:' .. ARGV[1], '1', 'PX', ARGV[2]) return 0"

#endif
