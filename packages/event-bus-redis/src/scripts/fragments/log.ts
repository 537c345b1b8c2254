/** The log of events: appending to it, and what is written at the end of a script. */
export const LOG = `
local gathered = {}
local gatheredCount = 0
local function flush()
  for command, keys in pairs(gathered) do
    for key, args in pairs(keys) do redis.call(command, key, unpack(args)) end
  end
  gathered, gatheredCount = {}, 0
end
-- One call with many arguments costs far less than many calls.
local function gather(command, key, first, second)
  local keys = gathered[command] or {}
  gathered[command] = keys
  local args = keys[key] or {}
  keys[key] = args
  args[#args + 1] = first
  if second then args[#args + 1] = second end
  gatheredCount = gatheredCount + 1
  if gatheredCount >= 2000 then flush() end
end
local head, published, appended, bytes = nil, 0, 0, 0
local function finish()
  flush()
  if appended > 0 then
    redis.call('HSET', p .. ':meta', 'head', head, 'published', published)
    redis.call('HINCRBY', p .. ':meta', 'bytes', bytes)
  end
  local names = {}
  for name in pairs(woken) do names[#names + 1] = name end
  if #names > 0 then redis.call('PUBLISH', p .. ':wake', table.concat(names, ',')) end
end
local function headOf()
  local known = redis.call('HGET', p .. ':meta', 'head')
  if known then return tonumber(known) end
  if redis.call('EXISTS', p .. ':events') == 0 then return 0 end
  -- The key was deleted while the stream was not: a smaller sequence would be refused for good.
  local stream = redis.call('XINFO', 'STREAM', p .. ':events')
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then return tonumber(string.match(stream[i + 1], '^%d+')) end
  end
end
local function eventAt(sequence)
  local id = string.format('%d-0', sequence)
  local entry = redis.call('XRANGE', p .. ':events', id, id)[1]
  return entry and redis.call('HEXISTS', p .. ':bodies', sequence) == 1 and entry[2]
end
-- Groups that get a type; names of indexes that are known to be listed.
local routed, known = {}, {}
local function routesOf(type)
  routed[type] = routed[type] or routes(type)
  return routed[type]
end
-- Answers the sequence of the event that has this identity; notes the new one otherwise.
local function identify(id, source, sequence)
  if redis.call('HSETNX', p .. ':ids', id, sequence) == 1 then return nil end
  -- The other event may be of this batch.
  flush()
  local known, same = redis.call('HGET', p .. ':ids', id), p .. ':same:' .. id
  local first = string.match(known, '^%d+')
  if first == string.format('%d', sequence) then return nil end
  local fields = eventAt(first)
  if not fields then
    redis.call('HSET', p .. ':ids', id, sequence)
    return nil
  end
  if fields[4] == source then return first end
  if known == first then redis.call('HSET', p .. ':ids', id, first .. '+')
  elseif redis.call('EXISTS', same) == 0 then redis.call('HSET', p .. ':meta', 'lostSame', id) end
  if redis.call('HSETNX', same, source, sequence) == 1 then return nil end
  return redis.call('HGET', same, source)
end
-- The id of a removed event is free again.
local function forgetIdentity(id, source, sequence)
  local same = p .. ':same:' .. id
  local known = redis.call('HGET', p .. ':ids', id) or ''
  if string.match(known, '^%d+') == string.format('%d', sequence) then
    local next = redis.call('HRANDFIELD', same, 1, 'WITHVALUES')
    if not next[1] then
      redis.call('HDEL', p .. ':ids', id)
      return
    end
    known, source = next[2], next[1]
  end
  redis.call('HDEL', same, source)
  if known ~= '' then
    local others = redis.call('EXISTS', same) == 1 and '+' or ''
    redis.call('HSET', p .. ':ids', id, string.match(known, '^%d+') .. others)
  end
end
-- The zsets of an event's type and source, which have a mark.
local function index(name, sequence, add)
  add('ZADD', p .. ':' .. name, sequence, sequence)
  if not known[name] then
    known[name] = true
    if redis.call('SADD', p .. ':indexes', name) == 1 then add('ZADD', p .. ':' .. name, 'inf', '~') end
  end
end
local function dropEmptyIndex(name)
  if redis.call('ZCARD', p .. ':' .. name) > 1 then return end
  redis.call('DEL', p .. ':' .. name)
  redis.call('SREM', p .. ':indexes', name)
end
-- Reads where the log ends. Answers an error while a key of the log is lost: an event might get the number of another
-- one, or be stored twice.
local function openLog()
  local found = redis.call('HMGET', p .. ':meta', 'head', 'published', 'repair')
  head = found[1] and tonumber(found[1]) or headOf()
  -- Neighbours keep their order; after a step of the server's clock its new time counts.
  published = tonumber(found[2] or 0)
  published = (published > wall() and published - wall() < 1000) and published or wall()
  local keys = redis.call('EXISTS', p .. ':events', p .. ':bodies', p .. ':ids')
  if head == 0 then
    redis.call('HSET', p .. ':bodies', '', '')
    redis.call('HSET', p .. ':ids', '', '')
    redis.call('SADD', p .. ':indexes', '~')
  elseif keys < 3 or (found[3] and string.sub(found[3], 1, 1) ~= '0') then
    return redis.error_reply('LOGDAMAGED the server lost a key of the bus')
  end
end
-- What waits for its first attempt; asked says which redelivery it is, if it is one.
local function pending(group, sequence, replays, due, asked)
  local next = due and string.format(',"nextAttemptAtMs":%d', due) or ''
  if asked then next = next .. string.format(',"asked":"%s"', asked) end
  local json = string.format('{"replays":%d,"status":"pending","attempts":0,"updatedAtMs":%d%s}', replays, wall(), next)
  redis.call('HSET', p .. ':deliveries:' .. group, sequence, json)
end
-- Call openLog first. deliverAt is a time of the server's clock or 0; delay is in milliseconds from now on.
local function append(id, type, source, json, deliverAt, delay)
  local sequence = string.format('%d', head + 1)
  local before = identify(id, source, sequence)
  if before then return { before, 1 } end
  head, appended, bytes = head + 1, appended + 1, bytes + #json
  deliverAt, delay = tonumber(deliverAt), tonumber(delay)
  local dueAt = delay > 0 and wall() + delay or deliverAt
  redis.call('XADD', p .. ':events', sequence .. '-0', 't', type, 's', source, 'p', published,
    'd', string.format('%d', dueAt), 'i', id)
  gather('HSET', p .. ':bodies', sequence, json)
  index('type:' .. type, sequence, gather)
  index('source:' .. source, sequence, gather)
  for _, group in ipairs(routesOf(type)) do
    if dueAt > wall() then
      if delay > 0 then gather('ZADD', p .. ':later:' .. group, clock() + delay, member(head, 0))
      else gather('ZADD', p .. ':due:' .. group, dueAt, member(head, 0)) end
      pending(group, sequence, 0, dueAt)
    else
      gather('ZADD', p .. ':ready:' .. group, sequence, member(head, 0))
    end
    woken[group] = true
  end
  return { sequence, 0 }
end
`
