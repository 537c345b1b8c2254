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
local head, published, bytes
local function finish()
  flush()
  if head then
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
  -- The key may have been deleted while the stream was not: a smaller sequence would be refused for good.
  local newest = redis.call('XREVRANGE', p .. ':events', '+', '-', 'COUNT', 1)[1]
  return newest and tonumber(string.match(newest[1], '^%d+')) or 0
end
local function eventAt(sequence)
  local id = string.format('%d-0', sequence)
  local entry = redis.call('XRANGE', p .. ':events', id, id)[1]
  return entry and redis.call('HEXISTS', p .. ':bodies', sequence) == 1 and entry[2]
end
local known = {}
local function routesOf(type)
  known[type] = known[type] or routes(type)
  return known[type]
end
-- Answers the sequence of the event that has this identity; notes the new one otherwise.
local function identify(id, source, sequence)
  if redis.call('HSETNX', p .. ':ids', id, sequence) == 1 then return nil end
  -- The other event may be of this batch.
  flush()
  local first = redis.call('HGET', p .. ':ids', id)
  local fields = eventAt(first)
  if not fields then
    redis.call('HSET', p .. ':ids', id, sequence)
    return nil
  end
  if fields[4] == source then return first end
  if redis.call('HSETNX', p .. ':same:' .. id, source, sequence) == 1 then return nil end
  return redis.call('HGET', p .. ':same:' .. id, source)
end
-- The id of a removed event is free again.
local function forgetIdentity(id, source, sequence)
  local same = p .. ':same:' .. id
  if redis.call('HGET', p .. ':ids', id) ~= string.format('%d', sequence) then
    redis.call('HDEL', same, source)
    return
  end
  local next = redis.call('HRANDFIELD', same, 1, 'WITHVALUES')
  if next[1] then
    redis.call('HSET', p .. ':ids', id, next[2])
    redis.call('HDEL', same, next[1])
  else
    redis.call('HDEL', p .. ':ids', id)
  end
end
local function pending(group, sequence, replays, due)
  local next = due and string.format(',"nextAttemptAtMs":%d', due) or ''
  local json = string.format('{"replays":%d,"status":"pending","attempts":0,"updatedAtMs":%d%s}', replays, wall(), next)
  redis.call('HSET', p .. ':deliveries:' .. group, sequence, json)
end
-- deliverAt is a time of the server's clock or 0; delay is in milliseconds from now on.
local function append(id, type, source, json, deliverAt, delay)
  if not head then
    published = tonumber(redis.call('HGET', p .. ':meta', 'published') or 0)
    -- Neighbours keep their order; after a step of the server's clock its new time counts.
    published = (published > wall() and published - wall() < 1000) and published or wall()
    head, bytes = headOf(), 0
  end
  local sequence = string.format('%d', head + 1)
  local before = identify(id, source, sequence)
  if before then return { before, 1 } end
  head = head + 1
  bytes = bytes + #json
  deliverAt, delay = tonumber(deliverAt), tonumber(delay)
  local dueAt = delay > 0 and wall() + delay or deliverAt
  redis.call('XADD', p .. ':events', sequence .. '-0', 't', type, 's', source, 'p', published,
    'd', string.format('%d', dueAt), 'i', id)
  gather('HSET', p .. ':bodies', sequence, json)
  gather('ZADD', p .. ':type:' .. type, sequence, sequence)
  gather('ZADD', p .. ':source:' .. source, sequence, sequence)
  if not known[type] then redis.call('SADD', p .. ':types', type) end
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
