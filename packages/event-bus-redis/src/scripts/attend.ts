import { freeingScript } from './fragments/script.js'
import { LOST } from './lost-keys.js'

/** Consumers of a dead process that one call removes. */
const LEAVES_AT_ONCE = 100

/**
 * A process says that it is there, and looks for keys of the bus that were deleted. ARGV: a name for the data of this server
 * where it has none, milliseconds for which the process counts as alive, the newest sequence that it knows, then consumer,
 * group, id of the patterns and id of the group of each of its consumers. Answers the name of the data, 1 when the process was known to be
 * alive, the revision of the groups, the newest sequence, names of keys that were lost, and 1 where there is something to
 * repair.
 */
export const ATTEND = freeingScript(`${LOST}
local isNew = redis.call('HSETNX', p .. ':meta', 'instance', ARGV[1]) == 1
local now, lapses = leaseClock(), leaseClock() + tonumber(ARGV[2])
if redis.call('ZADD', p .. ':processes', 'NX', 'inf', '~') == 1 and not isNew then
  lose('processes')
  restoreProcesses(lapses)
end
local alive = tonumber(redis.call('ZSCORE', p .. ':processes', me) or 0) > now
redis.call('ZADD', p .. ':processes', lapses, me)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', p .. ':processes', '-inf', now, 'LIMIT', 0, 1)) do
  local consumers = p .. ':process:' .. dead
  local found = redis.call('HSCAN', consumers, 0, 'COUNT', ${LEAVES_AT_ONCE})[2]
  for i = 1, #found, 2 do
    leave(string.match(found[i + 1], '^%d+ (.*)$'), found[i])
    redis.call('HDEL', consumers, found[i])
  end
  if redis.call('EXISTS', consumers) == 0 then redis.call('ZREM', p .. ':processes', dead) end
end
for _, group in ipairs(redis.call('ZRANGEBYSCORE', p .. ':forget', '-inf', clock(), 'LIMIT', 0, 10)) do
  redis.call('ZREM', p .. ':forget', group)
  if entryOf(group) then route(group, entryOf(group)) end
end
lookForGroups(tonumber(ARGV[3]), isNew)
lookForLog(isNew)
local missing = false
for i = 4, #ARGV, 4 do
  local consumer, group, set = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local isKnown = entryOf(group) and entryOf(group).id == ARGV[i + 3]
  missing = missing or not isKnown
  if isKnown and alive then lookForConsumer(consumer, group, set) end
  lookForGroup(group)
end
lookAtSomeGroups()
-- Each process looks for its groups after the revision changed.
if missing then redis.call('HINCRBY', p .. ':meta', 'revision', 1) end
finish()
local meta = redis.call('HMGET', p .. ':meta', 'instance', 'revision', 'repair')
local repairs = (meta[3] or redis.call('HLEN', p .. ':filling') > 1) and 1 or 0
return { meta[1], alive and 1 or 0, tonumber(meta[2] or 0), headOf(), lost, repairs }`)
