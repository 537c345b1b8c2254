import { freeingScript } from './library.js'

/** Consumers of a dead process that one call removes. */
const LEAVES_AT_ONCE = 100

/**
 * A process says that it is there. ARGV: a name for the data of this server where it has none, and milliseconds for
 * which the process counts as alive. Answers the name of the data, 1 when the process was known to be alive, the
 * revision of the groups, the newest sequence, then the groups of the process that lost work, and those that are being filled.
 */
export const ATTEND = freeingScript(`
redis.call('HSETNX', p .. ':meta', 'instance', ARGV[1])
local now = leaseClock()
local alive = tonumber(redis.call('ZSCORE', p .. ':processes', me) or 0) > now
redis.call('ZADD', p .. ':processes', now + tonumber(ARGV[2]), me)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', p .. ':processes', '-inf', now, 'LIMIT', 0, 1)) do
  local consumers = p .. ':process:' .. dead
  local found = redis.call('HSCAN', consumers, 0, 'COUNT', ${LEAVES_AT_ONCE})[2]
  for i = 1, #found, 2 do
    leave(found[i + 1], found[i])
    redis.call('HDEL', consumers, found[i])
  end
  if redis.call('EXISTS', consumers) == 0 then redis.call('ZREM', p .. ':processes', dead) end
end
for _, group in ipairs(redis.call('ZRANGEBYSCORE', p .. ':forget', '-inf', clock(), 'LIMIT', 0, 10)) do
  redis.call('ZREM', p .. ':forget', group)
  if entryOf(group) then route(group, entryOf(group)) end
end
local damaged, filling, looked, missing = {}, {}, {}, false
for _, group in ipairs(redis.call('HVALS', p .. ':process:' .. me)) do
  missing = missing or not entryOf(group)
  if not looked[group] and entryOf(group) then
    looked[group] = true
    if mark(group) and redis.call('HEXISTS', p .. ':filling', group) == 0 then
      damaged[#damaged + 1] = group
      redis.call('HSET', p .. ':filling', group, string.format('%d %d', entryOf(group).startAfter, headOf()))
    end
    if redis.call('HEXISTS', p .. ':filling', group) == 1 then filling[#filling + 1] = group end
  end
end
-- Each process looks for its groups after the revision changed.
if missing then redis.call('HINCRBY', p .. ':meta', 'revision', 1) end
finish()
local meta = redis.call('HMGET', p .. ':meta', 'instance', 'revision')
return { meta[1], alive and 1 or 0, tonumber(meta[2] or 0), headOf(), damaged, filling }`)
