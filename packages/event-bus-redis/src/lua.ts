/**
 * What has to happen at once in Redis. Every key starts with KEYS[1], whose hash tag keeps the bus in one
 * slot of a cluster. Times are the server's, since machines disagree.
 *
 * events           stream   N-0 → t type, s source, p time of storing, d time of delivery, j JSON
 * meta             hash     head (newest sequence), published (its time), bytes
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

const script = (body: string): string => `${LIBRARY}\n${body}`

/** ARGV: id, type, source, JSON, deliverAt or 0, five per event. Answers sequence and 1 for a duplicate, per event. */
export const APPEND = script(`
local now, results = clock(), {}
for i = 1, #ARGV, 5 do
  results[#results + 1] = append(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], now)
end
finish()
return results`)

/** ARGV: group, consumer, limit, ackWaitMs, 1 when ordered, 1 when an answer was lost and then the work that is held, since the rest has to come again first. Answers the wait until there may be more, then work, attempt, time of storing and JSON of each claim. */
export const CLAIM = script(`
local group, consumer, limit, ackWait = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local ready, due, claims, work = p .. ':ready:' .. group, p .. ':due:' .. group, p .. ':claims:' .. group, p .. ':work:' .. group
if redis.call('HEXISTS', p .. ':filling', group) == 1 then return { '50' } end
local now = clock()
-- Fields of the events that the members stand for, or false. Neighbours are read at once.
local function read(members)
  local key, fields, i = p .. ':events', {}, 1
  while i <= #members do
    local first = sequenceOf(members[i])
    local last = i
    while members[last + 1] and sequenceOf(members[last + 1]) == first + last + 1 - i do last = last + 1 end
    local entries = redis.call('XRANGE', key, first, first + last - i)
    local at = 1
    for n = i, last do
      local entry = entries[at]
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
if ARGV[5] == '1' then
  local owner = redis.call('GET', p .. ':owner:' .. group)
  if owner and owner ~= consumer then
    return { tostring(math.max(1, redis.call('PTTL', p .. ':owner:' .. group))) }
  end
  redis.call('SET', p .. ':owner:' .. group, consumer, 'PX', ackWait)
  if not owner then
    for _, m in ipairs(redis.call('ZRANGE', claims, 0, -1)) do redis.call('ZADD', claims, 0, m) end
  end
end
if ARGV[6] == '1' then
  local held = {}
  for i = 7, #ARGV do held[ARGV[i]] = true end
  for _, m in ipairs(redis.call('ZRANGE', claims, 0, -1)) do
    if not held[m] then redis.call('ZADD', claims, 0, m) end
  end
end
local found = redis.call('ZRANGEBYSCORE', claims, '-inf', now, 'LIMIT', 0, limit)
if #found < limit then
  for _, m in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit - #found)) do
    redis.call('ZREM', due, m)
    found[#found + 1] = m
  end
end
if #found < limit then
  local popped = redis.call('ZPOPMIN', ready, limit - #found)
  for i = 1, #popped, 2 do found[#found + 1] = popped[i] end
end
local answer = { '-1' }
local before = #found > 0 and redis.call('HMGET', work, unpack(found)) or {}
local stored = read(found)
local attempts, lapses, gone = {}, {}, {}
local lapse = now + ackWait
for i, m in ipairs(found) do
  local fields = stored[i]
  if fields then
    local attempt = (before[i] and tonumber(string.match(before[i], '^%d+')) or 0) + 1
    local at = #attempts
    attempts[at + 1], attempts[at + 2] = m, attempt .. ' ' .. consumer
    lapses[at + 1], lapses[at + 2] = lapse, m
    at = #answer
    answer[at + 1], answer[at + 2], answer[at + 3], answer[at + 4] = m, attempt, fields[6], fields[10]
  else
    gone[#gone + 1] = m
  end
end
if #attempts > 0 then
  redis.call('HSET', work, unpack(attempts))
  redis.call('ZADD', claims, unpack(lapses))
end
if #gone > 0 then
  redis.call('ZREM', claims, unpack(gone))
  redis.call('HDEL', work, unpack(gone))
end
if #found == 0 then
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
  local lapse = redis.call('ZRANGE', claims, 0, 0, 'WITHSCORES')[2]
  local at = math.min(tonumber(first or 'inf') or math.huge, tonumber(lapse or 'inf') or math.huge)
  if first or lapse then answer[1] = tostring(math.max(1, at - now)) end
end
return answer`)

/**
 * Acks that emit nothing. ARGV: group, then of each the work and its delivery as JSON. Whoever has the claim
 * by now, the work is done.
 */
export const ACK = script(`
local claims, work, members = p .. ':claims:' .. ARGV[1], p .. ':work:' .. ARGV[1], {}
for i = 2, #ARGV, 2 do members[#members + 1] = ARGV[i] end
local before = redis.call('HMGET', work, unpack(members))
local done, deliveries = {}, {}
for i, m in ipairs(members) do
  if before[i] and string.find(before[i], ' ', 1, true) then
    done[#done + 1] = m
    local at = #deliveries
    deliveries[at + 1], deliveries[at + 2] = sequenceOf(m), ARGV[2 * i + 1]
  end
end
if #done > 0 then
  redis.call('HSET', p .. ':deliveries:' .. ARGV[1], unpack(deliveries))
  redis.call('ZREM', claims, unpack(done))
  redis.call('HDEL', work, unpack(done))
end`)

/**
 * ARGV: group, consumer, ackWaitMs, then per settlement: work, kind, delayMs, delivery as JSON, dead letter
 * as JSON, number of emitted events, and of each of those id, type, source, JSON. Answers the results of the
 * emitted events of each settlement.
 */
export const SETTLE = script(`
local group, consumer, ackWait = ARGV[1], ARGV[2], tonumber(ARGV[3])
local claims, work = p .. ':claims:' .. group, p .. ':work:' .. group
local now, results = clock(), {}
local settled = {}
local at = 4
while at <= #ARGV do
  settled[#settled + 1] = at
  at = at + 6 + 4 * tonumber(ARGV[at + 5])
end
local members = {}
for i, first in ipairs(settled) do members[i] = ARGV[first] end
local claimed = redis.call('ZMSCORE', claims, unpack(members))
local before = redis.call('HMGET', work, unpack(members))
for i, first in ipairs(settled) do
  local m, kind, delay, delivery, letter = ARGV[first], ARGV[first + 1], tonumber(ARGV[first + 2]), ARGV[first + 3], ARGV[first + 4]
  local emitted = {}
  local sequence = sequenceOf(m)
  local attempt = before[i] and tonumber(string.match(before[i], '^%d+')) or 0
  local own = before[i] and string.match(before[i], ' (.*)$') == consumer
  if claimed[i] and (own or kind == 'ack') then
    if delivery ~= '' then gather('HSET', p .. ':deliveries:' .. group, sequence, delivery) end
    if kind == 'hold' then
      gather('HSET', work, m, (attempt + 1) .. ' ' .. consumer)
      gather('ZADD', claims, now + ackWait, m)
    else
      gather('ZREM', claims, m)
      if kind == 'retry' then
        gather('HSET', work, m, tostring(attempt))
        gather('ZADD', p .. ':due:' .. group, now + delay, m)
        woken[group] = true
      elseif kind == 'release' then
        gather('HSET', work, m, tostring(attempt - 1))
        gather('ZADD', p .. ':ready:' .. group, sequence, m)
        woken[group] = true
      else
        gather('HDEL', work, m)
        if kind == 'dead-letter' then
          gather('ZADD', p .. ':dead:' .. group, sequence, sequence)
          gather('HSET', p .. ':letters:' .. group, sequence, letter)
        end
        for e = first + 6, first + 2 + 4 * tonumber(ARGV[first + 5]), 4 do
          emitted[#emitted + 1] = append(ARGV[e], ARGV[e + 1], ARGV[e + 2], ARGV[e + 3], '0', now)
        end
      end
    end
  end
  results[#results + 1] = emitted
end
finish()
return results`)

/** ARGV: group, consumer, ackWaitMs, work of every claim. */
export const EXTEND = script(`
local claims, work = p .. ':claims:' .. ARGV[1], p .. ':work:' .. ARGV[1]
local lapses = clock() + tonumber(ARGV[3])
for i = 4, #ARGV do
  local before = redis.call('HGET', work, ARGV[i])
  if before and string.match(before, ' (.*)$') == ARGV[2] then redis.call('ZADD', claims, 'XX', lapses, ARGV[i]) end
end
local owner = p .. ':owner:' .. ARGV[1]
if redis.call('GET', owner) == ARGV[2] then redis.call('PEXPIRE', owner, ARGV[3]) end`)

/** ARGV: group, JSON patterns, sequence to start after or -1 for the end. Answers 1 when older events have to be filled in. */
export const OPEN_GROUP = script(`
local group, patterns, start = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HGET', p .. ':groups', group)
local head = tonumber(redis.call('HGET', p .. ':meta', 'head') or 0)
local entry = known and cjson.decode(known) or { startAfter = start < 0 and head or start }
entry.patterns = patterns
local json = cjson.encode(entry)
if json ~= known then
  redis.call('HSET', p .. ':groups', group, json)
  redis.call('DEL', p .. ':routes')
end
-- Without a long value Redis keeps a small hash as a list and searches it from the start, for each claim.
redis.call('HSET', p .. ':work:' .. group, '', string.rep('-', 65))
if not known and entry.startAfter < head then
  redis.call('HSET', p .. ':filling', group, entry.startAfter .. ' ' .. head)
end
return redis.call('HEXISTS', p .. ':filling', group)`)

/** ARGV: group, how many events to look at. Answers 1 while there are more. */
export const FILL_GROUP = script(`
local group = ARGV[1]
local filling = redis.call('HGET', p .. ':filling', group)
if not filling then return 0 end
local from, to = string.match(filling, '^(%d+) (%d+)$')
from, to = tonumber(from), tonumber(to)
local now = clock()
local patterns = cjson.decode(redis.call('HGET', p .. ':groups', group)).patterns
local last = math.min(to, from + tonumber(ARGV[2]))
for _, entry in ipairs(redis.call('XRANGE', p .. ':events', (from + 1) .. '-0', last .. '-0')) do
  local sequence, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
  local tokens = split(fields[2])
  for _, pattern in ipairs(patterns) do
    if matches(pattern, tokens) then
      local due = tonumber(fields[8])
      if due > now then redis.call('ZADD', p .. ':due:' .. group, due, member(sequence, 0))
      else redis.call('ZADD', p .. ':ready:' .. group, sequence, member(sequence, 0)) end
      break
    end
  end
end
if last < to then
  redis.call('HSET', p .. ':filling', group, last .. ' ' .. to)
  return 1
end
redis.call('HDEL', p .. ':filling', group)
woken[group] = true
finish()
return 0`)

/** ARGV: group. Answers 1 when there was one. */
export const REMOVE_GROUP = script(`
local group = ARGV[1]
for _, name in ipairs({ 'ready', 'due', 'claims', 'work', 'deliveries', 'dead', 'letters', 'owner' }) do
  redis.call('UNLINK', p .. ':' .. name .. ':' .. group)
end
redis.call('HDEL', p .. ':filling', group)
redis.call('DEL', p .. ':routes')
return redis.call('HDEL', p .. ':groups', group)`)

/** ARGV: JSON list of groups or an empty string, then sequences. Answers how many events and deliveries. */
export const REPLAY = script(`
local only = ARGV[1] ~= '' and {} or nil
if only then for _, name in ipairs(cjson.decode(ARGV[1])) do only[name] = true end end
local now, events, deliveries = clock(), 0, 0
for i = 2, #ARGV do
  local sequence = tonumber(ARGV[i])
  local entry = redis.call('XRANGE', p .. ':events', sequence .. '-0', sequence .. '-0')[1]
  if entry then
    events = events + 1
    for _, group in ipairs(routes(entry[2][2])) do
      if not only or only[group] then
        deliveries = deliveries + 1
        local before = redis.call('HGET', p .. ':deliveries:' .. group, sequence)
        local replays = (before and tonumber(string.match(before, '^{"replays":(%d+)')) or 0) + 1
        redis.call('ZREM', p .. ':dead:' .. group, sequence)
        redis.call('HDEL', p .. ':letters:' .. group, sequence)
        redis.call('ZADD', p .. ':ready:' .. group, sequence, member(sequence, replays))
        pending(group, sequence, replays, now)
        woken[group] = true
      end
    end
  end
end
finish()
return { events, deliveries }`)

/** ARGV: group, 1 to deliver again, sequences. Answers how many were dead letters. */
export const END_LETTERS = script(`
local group, now, count = ARGV[1], clock(), 0
for i = 3, #ARGV do
  local sequence = tonumber(ARGV[i])
  if redis.call('ZREM', p .. ':dead:' .. group, sequence) == 1 then
    count = count + 1
    redis.call('HDEL', p .. ':letters:' .. group, sequence)
    if ARGV[2] == '1' then
      local before = redis.call('HGET', p .. ':deliveries:' .. group, sequence)
      local replays = before and tonumber(string.match(before, '^{"replays":(%d+)')) or 0
      redis.call('ZADD', p .. ':ready:' .. group, sequence, member(sequence, replays))
      pending(group, sequence, replays, now)
      woken[group] = true
    end
  end
end
finish()
return count`)

/** ARGV: group, consumer. Lets another consumer of an ordered group take over at once. */
export const LEAVE = script(`
local owner = p .. ':owner:' .. ARGV[1]
if redis.call('GET', owner) == ARGV[2] then
  redis.call('DEL', owner)
  woken[ARGV[1]] = true
  finish()
end`)
