import { script } from './library.js'

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

/** ARGV: group, consumer. Lets another consumer of an ordered group take over at once. */
export const LEAVE = script(`
local owner = p .. ':owner:' .. ARGV[1]
if redis.call('GET', owner) == ARGV[2] then
  redis.call('DEL', owner)
  woken[ARGV[1]] = true
  finish()
end`)
