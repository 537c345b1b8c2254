/** The work of a group: where it waits, and who has it. */
export const WORK = `
-- Fields of the events that the members stand for, or false. Neighbours are read at once.
local function readEvents(members)
  local key, fields, i = p .. ':events', {}, 1
  while i <= #members do
    local first = sequenceOf(members[i])
    local last = i
    while members[last + 1] and sequenceOf(members[last + 1]) == first + last + 1 - i do last = last + 1 end
    local found = redis.call('XRANGE', key, first, first + last - i)
    local at = 1
    for n = i, last do
      local entry = found[at]
      if entry and tonumber(string.match(entry[1], '^%d+')) == first + n - i then
        fields[n], at = entry[2], at + 1
      else
        fields[n] = false
      end
    end
    i = last + 1
  end
  return fields
end
local function sequencesOf(members)
  local sequences = {}
  for i, m in ipairs(members) do sequences[i] = sequenceOf(m) end
  return sequences
end
-- Time and reason of each event that was erased, by its place in the list.
local function erasuresOf(sequences)
  if #sequences == 0 or redis.call('EXISTS', p .. ':erased') == 0 then return {} end
  return redis.call('HMGET', p .. ':erased', unpack(sequences))
end
-- The first work of a zset, its mark left out.
local function lowest(key)
  return redis.call('ZRANGEBYSCORE', key, '-inf', '(inf', 'LIMIT', 0, 1)[1]
end
local function markedKeys(group)
  return { p .. ':ready:' .. group, p .. ':due:' .. group, p .. ':later:' .. group, p .. ':claims:' .. group }
end
-- Marks the zsets of a group; answers whether one was not marked.
local function mark(group)
  local added = 0
  for _, key in ipairs(markedKeys(group)) do added = added + redis.call('ZADD', key, 'NX', 'inf', '~') end
  return added > 0
end
-- Every zset in which work of a group waits or is claimed.
local function workKeys(group)
  local keys = markedKeys(group)
  for _, id in ipairs(redis.call('HKEYS', p .. ':parked:' .. group)) do keys[#keys + 1] = p .. ':parked:' .. group .. ':' .. id end
  return keys
end
-- An event that had to stay may be removed by retention now.
local function lookAgain()
  redis.call('HDEL', p .. ':meta', 'scanned', 'leftBytes')
end
-- The group does not want this work any more, or its event is gone.
local function forgetWork(group, m)
  redis.call('HDEL', p .. ':work:' .. group, m)
  local delivery = redis.call('HGET', p .. ':deliveries:' .. group, sequenceOf(m))
  if delivery and (string.find(delivery, '"status":"pending"', 1, true) or string.find(delivery, '"status":"retrying"', 1, true)) then
    redis.call('HDEL', p .. ':deliveries:' .. group, sequenceOf(m))
    lookAgain()
  end
end
-- Puts work aside that the asking process did not ask for; answers whether a living process did.
local function park(group, m, type)
  local set, alive = setFor(group, split(type))
  if not set then
    forgetWork(group, m)
    return false
  end
  local attempts = redis.call('HGET', p .. ':work:' .. group, m)
  if attempts then redis.call('HSET', p .. ':work:' .. group, m, string.match(attempts, '^%d+')) end
  redis.call('HSET', p .. ':parked:' .. group, set, 1)
  redis.call('ZADD', p .. ':parked:' .. group .. ':' .. set, sequenceOf(m), m)
  if alive then woken[group] = true end
  return alive
end
`
