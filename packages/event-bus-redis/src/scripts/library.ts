/**
 * What has to happen at once in Redis. Every key starts with KEYS[1], whose hash tag keeps the bus in one
 * slot of a cluster. Times are the server's, since machines disagree.
 *
 * events           stream   N-0 → t type, s source, p time of storing, d time of delivery, j JSON
 * meta             hash     head (newest sequence), published (its time), first (oldest sequence), bytes
 * ids              hash     event id → sequence
 * types            set      every event type; type:T and source:S are zsets of sequences
 * groups           hash     name → JSON { patterns, startAfter }
 * routes           hash     event type → JSON list of groups, dropped when groups change
 * ready:G          zset     work by sequence
 * due:G            zset     work by the time it is due
 * claims:G         zset     work by the time its claim lapses
 * work:G           hash     attempts of claimed or waiting work; of claimed work, then a space and the consumer
 * deliveries:G     hash     sequence → JSON
 * dead:G, letters:G         sequences given up, and why
 * owner:G          string   the one consumer of an ordered group
 *
 * A piece of work is `sequence:replay`, the sequence padded so that it sorts as a number.
 */
const LIBRARY = `
local p = KEYS[1]
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function member(sequence, replay)
  return string.format('%016d:%d', sequence, replay)
end
local function sequenceOf(m)
  return tonumber(string.sub(m, 1, 16))
end
local function split(text)
  local tokens = {}
  for token in string.gmatch(text, '[^.]+') do tokens[#tokens + 1] = token end
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
local function routes(type)
  local known = redis.call('HGET', p .. ':routes', type)
  if known then return cjson.decode(known) end
  local found, tokens = {}, split(type)
  local groups = redis.call('HGETALL', p .. ':groups')
  for i = 1, #groups, 2 do
    for _, pattern in ipairs(cjson.decode(groups[i + 1]).patterns) do
      if matches(pattern, tokens) then
        found[#found + 1] = groups[i]
        break
      end
    end
  end
  if redis.call('HLEN', p .. ':routes') >= 10000 then redis.call('DEL', p .. ':routes') end
  redis.call('HSET', p .. ':routes', type, cjson.encode(found))
  return found
end
local woken = {}
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
local function pending(group, sequence, replays, now, due)
  local next = due and string.format(',"nextAttemptAtMs":%d', due) or ''
  local json = string.format('{"replays":%d,"status":"pending","attempts":0,"updatedAtMs":%d%s}', replays, now, next)
  redis.call('HSET', p .. ':deliveries:' .. group, sequence, json)
end
local known = {}
local function routesOf(type)
  known[type] = known[type] or routes(type)
  return known[type]
end
local function append(id, type, source, json, deliverAt, now)
  if not head then
    local meta = redis.call('HMGET', p .. ':meta', 'head', 'published')
    head, published, bytes = tonumber(meta[1] or 0), math.max(now, tonumber(meta[2] or 0)), 0
  end
  if redis.call('HSETNX', p .. ':ids', id, head + 1) == 0 then
    return { redis.call('HGET', p .. ':ids', id), 1 }
  end
  head = head + 1
  bytes = bytes + #json
  local sequence = string.format('%d', head)
  redis.call('XADD', p .. ':events', sequence .. '-0', 't', type, 's', source, 'p', published, 'd', deliverAt, 'j', json)
  gather('ZADD', p .. ':type:' .. type, sequence, sequence)
  gather('ZADD', p .. ':source:' .. source, sequence, sequence)
  if not known[type] then redis.call('SADD', p .. ':types', type) end
  local due = tonumber(deliverAt)
  for _, group in ipairs(routesOf(type)) do
    if due > now then
      gather('ZADD', p .. ':due:' .. group, due, member(head, 0))
      pending(group, sequence, 0, now, due)
    else
      gather('ZADD', p .. ':ready:' .. group, sequence, member(head, 0))
    end
    woken[group] = true
  end
  return { sequence, 0 }
end
`

/** A script on top of what all of them share. */
export const script = (body: string): string => `${LIBRARY}\n${body}`
