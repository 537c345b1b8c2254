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
-- Whether claimed work has this token, by what is stored of it; claims of one request mostly have the same.
local tokens = {}
local function isClaimedWith(token, stored)
  if not stored then return false end
  tokens[stored] = tokens[stored] or string.match(stored, ' (.*)$') or ''
  return tokens[stored] == token
end
-- Takes the token of claimed work away: who had the claim can neither start nor settle it any more.
local function withdraw(group, m)
  local before = redis.call('HGET', p .. ':work:' .. group, m)
  if before then redis.call('HSET', p .. ':work:' .. group, m, string.match(before, '^%d+')) end
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
-- Marks the keys of a group; answers the names of those that had no mark.
local function mark(group)
  local lost = {}
  for _, name in ipairs({ 'ready', 'due', 'later', 'claims', 'dead' }) do
    if redis.call('ZADD', p .. ':' .. name .. ':' .. group, 'NX', 'inf', '~') == 1 then lost[#lost + 1] = name end
  end
  for _, id in ipairs(redis.call('HKEYS', p .. ':parked-sets:' .. group)) do
    if redis.call('ZADD', p .. ':parked:' .. group .. ':' .. id, 'NX', 'inf', '~') == 1 then lost[#lost + 1] = 'parked' end
  end
  -- Without a long value Redis keeps a small hash as a list and searches it from the start, for each claim.
  for _, name in ipairs({ 'work', 'deliveries' }) do
    if redis.call('HSETNX', p .. ':' .. name .. ':' .. group, '', string.rep('-', 65)) == 1 then lost[#lost + 1] = name end
  end
  if lost[1] and redis.call('HLEN', p .. ':work:' .. group) == 1 then
    -- Claims without their tokens can be settled by no process: they come again, before what lies behind them.
    local claims = p .. ':claims:' .. group
    for _, m in ipairs(redis.call('ZRANGEBYSCORE', claims, '-inf', '(inf')) do redis.call('ZADD', claims, 0, m) end
  end
  return lost
end
-- Every zset in which work of a group waits or is claimed, and how many of them, the first ones, have a mark.
local function workKeys(group)
  local keys = {}
  for i, name in ipairs({ 'ready', 'due', 'later', 'claims' }) do keys[i] = p .. ':' .. name .. ':' .. group end
  local ids, listed = parkedIds(group)
  for _, id in ipairs(ids) do keys[#keys + 1] = p .. ':parked:' .. group .. ':' .. id end
  return keys, 4 + listed
end
-- How to look through the log for what lost keys held.
local function howToFill(lost)
  local how = 'work'
  for _, name in ipairs(lost) do
    if name == 'deliveries' then how = 'records' end
  end
  for _, name in ipairs(lost) do
    if name ~= 'deliveries' and name ~= 'work' and name ~= 'dead' then how = 'work' end
  end
  return how
end
-- A dead letter that was purged is none any more, though its record stays: what ends a record.
local PURGED = ',"purged":true}'
local function wasPurged(delivery)
  return string.sub(delivery, -#PURGED) == PURGED
end
local function notePurged(group, sequence)
  local delivery = redis.call('HGET', p .. ':deliveries:' .. group, sequence)
  if delivery and not wasPurged(delivery) then
    redis.call('HSET', p .. ':deliveries:' .. group, sequence, string.sub(delivery, 1, -2) .. PURGED)
  end
end
-- Has the log looked through, from here to its end, for what a group has to get, in the calls of FILL_GROUP: all that
-- has no record and does not wait; 'records' where that was handled, as only the records are lost.
local function refill(group, from, how)
  local before = redis.call('HGET', p .. ':filling', group)
  if before then
    local first, _, other = string.match(before, '^(%d+) (%d+) (%a+)$')
    from = math.min(from, tonumber(first))
    if other == 'work' then how = other end
  end
  redis.call('HSET', p .. ':filling', group, string.format('%d %d %s', from, headOf(), how))
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
  if not entryOf(group) then
    -- The key groups was deleted: what this work is for is known again in a moment.
    redis.call('ZADD', p .. ':ready:' .. group, sequenceOf(m), m)
    return false
  end
  local set, alive = setFor(group, split(type))
  if not set then
    forgetWork(group, m)
    return false
  end
  withdraw(group, m)
  redis.call('HSET', p .. ':parked-sets:' .. group, set, 1)
  redis.call('ZADD', p .. ':parked:' .. group .. ':' .. set, sequenceOf(m), m, 'inf', '~')
  if alive then woken[group] = true end
  return alive
end
`
