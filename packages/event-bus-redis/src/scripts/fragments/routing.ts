/** How long a group remembers patterns after the last process that asked for them has left. */
const REMEMBER_MS = 24 * 3600 * 1000
/** Sets of patterns that a group remembers; the oldest without a process are forgotten first. */
const MAX_SETS = 20

/**
 * Which groups get an event, and which processes of a group may have it.
 *
 * During a deployment the processes of one group ask for different patterns. The group remembers each set of patterns
 * in the order in which the sets first came. It gets what the newest set wants, though its processes may be away, and
 * what the sets of living processes want.
 *
 * groups    hash   name → JSON { id, startAfter, patterns, sets: [{ id, patterns, seen, from }] }; patterns are all that the group
 *                  gets, from is the sequence behind which it got what a set asks for
 * routes    hash   event type → JSON list of groups, dropped when groups change
 * members:G hash   consumer → id of its set, and its process
 */
export const ROUTING = `
local function split(text)
  local tokens = {}
  for token in string.gmatch(text .. '.', '([^.]*)%.') do tokens[#tokens + 1] = token end
  return tokens
end
local function matches(pattern, tokens)
  local wanted = split(pattern)
  for i, token in ipairs(wanted) do
    if token == '>' then return #tokens >= i end
    if tokens[i] == nil or (token ~= '*' and token ~= tokens[i]) then return false end
  end
  return #wanted == #tokens
end
local function matchesAny(patterns, tokens)
  for _, pattern in ipairs(patterns) do
    if matches(pattern, tokens) then return true end
  end
  return false
end
local function routes(type)
  local known = redis.call('HGET', p .. ':routes', type)
  if known then return cjson.decode(known) end
  local found, tokens = {}, split(type)
  local groups = redis.call('HGETALL', p .. ':groups')
  for i = 1, #groups, 2 do
    if matchesAny(cjson.decode(groups[i + 1]).patterns, tokens) then found[#found + 1] = groups[i] end
  end
  if redis.call('HLEN', p .. ':routes') >= 10000 then redis.call('DEL', p .. ':routes') end
  redis.call('HSET', p .. ':routes', type, cjson.encode(found))
  return found
end
local entries = {}
local function entryOf(group)
  if entries[group] == nil then
    local known = redis.call('HGET', p .. ':groups', group)
    entries[group] = known and cjson.decode(known) or false
  end
  return entries[group]
end
-- Sets of patterns that living processes ask for.
local living = {}
local function livingSets(group)
  if not living[group] then
    living[group] = {}
    for _, value in ipairs(redis.call('HVALS', p .. ':members:' .. group)) do
      living[group][tonumber(string.match(value, '^%d+'))] = true
    end
  end
  return living[group]
end
-- The set whose processes get an event that this process did not ask for: the newest with a process, or the newest.
local function setFor(group, tokens)
  local entry, alive = entryOf(group), livingSets(group)
  local newest
  for i = #entry.sets, 1, -1 do
    local set = entry.sets[i]
    if (alive[set.id] or set.newest) and matchesAny(set.patterns, tokens) then
      if alive[set.id] then return set.id, true end
      newest = set.id
    end
  end
  return newest, false
end
-- Ids of the sets for whose processes work may wait: by the list beside it, so many, then by the group itself.
local function parkedIds(group)
  local ids, listed = redis.call('HKEYS', p .. ':parked-sets:' .. group), {}
  local count = #ids
  for _, id in ipairs(ids) do listed[id] = true end
  for _, set in ipairs(entryOf(group) and entryOf(group).sets or {}) do
    local id = string.format('%d', set.id)
    if not listed[id] then ids[#ids + 1] = id end
  end
  return ids, count
end
-- Works out what a group gets, after its processes changed.
local function route(group, entry)
  entries[group], living[group] = entry, nil
  local alive, sets = livingSets(group), {}
  local newest
  for i = #entry.sets, 1, -1 do
    local set = entry.sets[i]
    if alive[set.id] then set.seen = clock() end
    if not newest and (alive[set.id] or set.seen > clock() - ${REMEMBER_MS}) then newest = set.id end
  end
  if not newest then newest = entry.sets[#entry.sets].id end
  local forget = #entry.sets - ${MAX_SETS}
  local patterns, listed, expires = {}, {}, nil
  for _, set in ipairs(entry.sets) do
    set.newest = set.id == newest
    local wanted = set.newest or alive[set.id]
    if wanted or (set.seen > clock() - ${REMEMBER_MS} and forget <= 0) then
      sets[#sets + 1] = set
      if not alive[set.id] then expires = math.min(expires or math.huge, set.seen + ${REMEMBER_MS}) end
    else
      forget = forget - 1
    end
    if wanted then
      for _, pattern in ipairs(set.patterns) do
        if not listed[pattern] then patterns[#patterns + 1] = pattern end
        listed[pattern] = true
      end
    end
  end
  -- What waits for processes of one set is shared out again.
  for _, id in ipairs(parkedIds(group)) do
    local parked = p .. ':parked:' .. group .. ':' .. id
    if redis.call('EXISTS', parked) == 1 then
      redis.call('ZUNIONSTORE', p .. ':ready:' .. group, 2, p .. ':ready:' .. group, parked, 'AGGREGATE', 'MIN')
      redis.call('DEL', parked)
      woken[group] = true
    end
  end
  redis.call('DEL', p .. ':parked-sets:' .. group)
  entry.sets, entry.patterns = sets, patterns
  if expires and #sets > 1 then redis.call('ZADD', p .. ':forget', expires, group)
  else redis.call('ZREM', p .. ':forget', group) end
  local json = cjson.encode(entry)
  if json ~= redis.call('HGET', p .. ':groups', group) then
    redis.call('HSET', p .. ':groups', group, json)
    redis.call('HSET', p .. ':groups-backup', group, json)
    redis.call('DEL', p .. ':routes')
  end
end
local function leave(group, consumer)
  local id = tonumber(string.match(redis.call('HGET', p .. ':members:' .. group, consumer) or '', '^%d+') or -1)
  redis.call('HDEL', p .. ':members:' .. group, consumer)
  local entry = entryOf(group)
  if id < 0 or not entry then return end
  for _, set in ipairs(entry.sets) do
    if set.id == id then set.seen = clock() end
  end
  route(group, entry)
end
`
