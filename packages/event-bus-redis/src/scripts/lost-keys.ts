/** Groups and indexes that one look is at, beside those of the process. */
const LOOKED_AT_ONCE = 100

/**
 * Finds keys that were deleted, names them in \`lost\`, and restores them, or notes what \`repair.ts\` and FILL_GROUP have to
 * do. A process looks at the keys of its own groups each time, and at the others in turn.
 */
export const LOST = `
local lost, told = {}, {}
local function lose(name)
  if not told[name] then lost[#lost + 1] = name end
  told[name] = true
end
-- Processes that have consumers: those that are dead lapse again.
local function restoreProcesses(lapses)
  for _, group in ipairs(redis.call('HKEYS', p .. ':groups')) do
    for _, value in ipairs(redis.call('HVALS', p .. ':members:' .. group)) do
      redis.call('ZADD', p .. ':processes', 'NX', lapses, string.match(value, ' (.*)$'))
    end
  end
end
-- Copies the fields of one hash that another one does not have; answers whether there were any.
local function copyMissing(from, to)
  local all, copied = redis.call('HGETALL', p .. ':' .. from), 0
  for i = 1, #all, 2 do copied = copied + redis.call('HSETNX', p .. ':' .. to, all[i], all[i + 1]) end
  return copied > 0
end
-- Events since the newest one that is known to have been given to the groups may have reached none.
local function lookForGroups(newest, isNew)
  if redis.call('HLEN', p .. ':groups') ~= redis.call('HLEN', p .. ':groups-backup') then
    if copyMissing('groups-backup', 'groups') then
      lose('groups')
      entries = {}
      redis.call('DEL', p .. ':routes')
      for _, group in ipairs(redis.call('HKEYS', p .. ':groups')) do
        refill(group, math.max(newest, entryOf(group).startAfter), 'work')
      end
    end
    if copyMissing('groups', 'groups-backup') then lose('groups-backup') end
  end
  if redis.call('HSETNX', p .. ':filling', '', '') == 1 and not isNew then
    lose('filling')
    for _, group in ipairs(redis.call('HKEYS', p .. ':groups')) do refill(group, entryOf(group).startAfter, 'work') end
  end
end
-- Where the log begins, as far as its indexes know.
local function beforeFirst()
  local oldest = redis.call('XRANGE', p .. ':events', '-', '+', 'COUNT', 1)[1]
  local first = oldest and tonumber(string.match(oldest[1], '^%d+')) or headOf() + 1
  for _, name in ipairs(redis.call('SMEMBERS', p .. ':indexes')) do
    first = math.min(first, tonumber(redis.call('ZRANGE', p .. ':' .. name, 0, 0)[1]) or first)
  end
  return first - 1
end
-- 0: the indexes are made again; 1: nothing can be published meanwhile; 2: nor was the log there for the groups.
local function repairLog(how)
  local before = redis.call('HGET', p .. ':meta', 'repair')
  if before then how = math.max(how, tonumber(string.sub(before, 1, 1))) end
  local from = redis.call('EXISTS', p .. ':indexes') == 1 and beforeFirst() or 0
  redis.call('HSET', p .. ':meta', 'repair', string.format('%d %d %d', how, from, headOf()), 'bytes', 0)
  lookAgain()
end
local function lookForLog(isNew)
  if redis.call('HDEL', p .. ':meta', 'lostClock') == 1 then lose('clock') end
  if headOf() == 0 then return end
  local how
  if isNew then
    local offset = redis.call('HMGET', p .. ':clock', 'offset', 'silent')
    redis.call('HSET', p .. ':meta', 'offset', offset[1] or 0, 'silent', offset[2] or 0)
    how = 0
  end
  local id = redis.call('HGET', p .. ':meta', 'lostSame')
  if id then
    redis.call('HDEL', p .. ':meta', 'lostSame')
    lose('same:' .. id)
    how = 1
  end
  local at, names = redis.call('HGET', p .. ':meta', 'indexesAt') or '0', {}
  local isListed = redis.call('SADD', p .. ':indexes', '~') == 0
  if isListed then
    local found = redis.call('SSCAN', p .. ':indexes', at, 'COUNT', ${LOOKED_AT_ONCE})
    redis.call('HSET', p .. ':meta', 'indexesAt', found[1])
    names = found[2]
  else
    lose('indexes')
    how = math.max(how or 0, 0)
  end
  for _, name in ipairs(names) do
    if name ~= '~' and redis.call('ZADD', p .. ':' .. name, 'NX', 'inf', '~') == 1 then
      lose(name)
      how = math.max(how or 0, 0)
    end
  end
  if redis.call('HGET', p .. ':meta', 'erasures') and redis.call('EXISTS', p .. ':erased') == 0 then
    lose('erased')
    redis.call('HDEL', p .. ':meta', 'erasures')
  end
  if redis.call('HGET', p .. ':meta', 'shares') and redis.call('EXISTS', p .. ':shared') == 0 then
    lose('shared')
    redis.call('HDEL', p .. ':meta', 'shares')
  end
  if redis.call('HSETNX', p .. ':bodies', '', '') == 1 then
    lose('bodies')
    how = math.max(how or 0, 1)
  end
  if redis.call('HSETNX', p .. ':ids', '', '') == 1 then
    lose('ids')
    how = math.max(how or 0, 1)
  end
  local isUnderRepair = string.sub(redis.call('HGET', p .. ':meta', 'repair') or '', 1, 1) == '2'
  if redis.call('EXISTS', p .. ':events') == 0 and not isUnderRepair then
    lose('events')
    how = 2
  end
  if how then repairLog(how) end
end
-- What a process tells of its consumers stands in two keys, each of which can be made again from the other one.
local function lookForConsumer(consumer, group, set)
  if redis.call('HSETNX', p .. ':process:' .. me, consumer, set .. ' ' .. group) == 1 then lose('process:' .. me) end
  if redis.call('HEXISTS', p .. ':members:' .. group, consumer) == 1 then return end
  lose('members:' .. group)
  for _, process in ipairs(redis.call('ZRANGEBYSCORE', p .. ':processes', leaseClock(), '(inf')) do
    local consumers = redis.call('HGETALL', p .. ':process:' .. process)
    for i = 1, #consumers, 2 do
      local id, of = string.match(consumers[i + 1], '^(%d+) (.*)$')
      if of == group then redis.call('HSET', p .. ':members:' .. group, consumers[i], id .. ' ' .. process) end
    end
  end
  route(group, entryOf(group))
end
-- What a group keeps stands in two keys, which are there together.
local function lookForStates(group)
  local states, keys = p .. ':states:' .. group, p .. ':state-keys:' .. group
  local hasStates = redis.call('EXISTS', states) == 1
  if hasStates == (redis.call('EXISTS', keys) == 1) then return end
  if hasStates then
    lose('state-keys:' .. group)
    for _, key in ipairs(redis.call('HKEYS', states)) do redis.call('ZADD', keys, 0, key) end
  else
    lose('states:' .. group)
    redis.call('DEL', keys)
  end
end
local looked = {}
local function lookForGroup(group)
  if looked[group] or not entryOf(group) then return end
  looked[group] = true
  local names = mark(group)
  for _, name in ipairs(names) do lose(name .. ':' .. group) end
  if #names > 0 then refill(group, entryOf(group).startAfter, howToFill(names)) end
  lookForStates(group)
  local members = redis.call('HGETALL', p .. ':members:' .. group)
  for i = 1, #members, 2 do
    if not redis.call('ZSCORE', p .. ':processes', string.match(members[i + 1], ' (.*)$')) then leave(group, members[i]) end
  end
  if #entryOf(group).sets > 1 and not redis.call('ZSCORE', p .. ':forget', group) then
    for _, set in ipairs(entryOf(group).sets) do
      if not livingSets(group)[set.id] then return route(group, entryOf(group)) end
    end
  end
end
local function lookAtSomeGroups()
  local found = redis.call('HSCAN', p .. ':groups', redis.call('HGET', p .. ':meta', 'groupsAt') or '0', 'COUNT', ${LOOKED_AT_ONCE})
  redis.call('HSET', p .. ':meta', 'groupsAt', found[1])
  for i = 1, #found[2], 2 do lookForGroup(found[2][i]) end
end
`
