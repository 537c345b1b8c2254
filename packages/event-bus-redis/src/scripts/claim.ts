import { freeingScript } from './fragments/script.js'

/** Work that one claim looks at, at most: what other processes asked for may lie before what this one wants. */
const MAX_LOOKED_AT = 1_000
/** A consumer that could not take everything at once asks again after this. */
const SOON_MS = 50

/** Answer of CLAIM to a consumer that may have claims which it does not know: it has to ask again, and tell what it has. */
export const TELL = 'tell'

/**
 * ARGV: group, consumer, number of the request, id of the consumer's patterns, those patterns on lines, limit,
 * ackWaitMs, 1 when ordered, number of the newest request that was answered, or an empty string and then work and token of
 * what the consumer has. Answers the wait until there may be more, then work, attempts so far, time of storing, JSON of the
 * event and of its erasure, or an empty string, of each claim.
 */
export const CLAIM = freeingScript(`
local group, consumer, number, set = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local token = consumer .. ':' .. ARGV[3]
local wanted, limit, ackWait, ordered = nil, tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local ready, claims, work = p .. ':ready:' .. group, p .. ':claims:' .. group, p .. ':work:' .. group
local parked, owner = p .. ':parked:' .. group .. ':' .. set, p .. ':owner:' .. group
if redis.call('HEXISTS', p .. ':filling', group) == 1 then return { '${SOON_MS}' } end
local asked = {}
local function asksFor(type)
  if asked[type] == nil then
    if not wanted then
      wanted = {}
      for pattern in string.gmatch(ARGV[5], '[^\\n]+') do wanted[#wanted + 1] = pattern end
    end
    asked[type] = matchesAny(wanted, split(type))
  end
  return asked[type]
end
-- In a group that keeps order, what only other living processes asked for must be handled before what lies behind it.
local function firstOfOthers()
  local first
  for _, id in ipairs(entryOf(group) and parkedIds(group) or {}) do
    if id ~= set and livingSets(group)[tonumber(id)] then
      local m = lowest(p .. ':parked:' .. group .. ':' .. id)
      if m and (not first or m < first) then first = m end
    end
  end
  return first
end
-- Where the key of the owner was deleted, who has claims is the owner.
local function ownerByClaims()
  local first = redis.call('ZRANGEBYSCORE', claims, '(' .. leaseClock(), '(inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local id = first[1] and string.match(redis.call('HGET', work, first[1]) or '', '^%d+ (.*):%d+$')
  return id and redis.call('HEXISTS', p .. ':members:' .. group, id) == 1 and { id, first[2] } or {}
end
local barrier
if ordered then
  -- Behind what a lost key held nothing may pass: it is looked for in a moment.
  local isWhole = redis.call('ZSCORE', ready, '~') and redis.call('ZSCORE', claims, '~') and redis.call('HEXISTS', work, '') == 1
  if not isWhole then return { '${SOON_MS}' } end
  local has = redis.call('HMGET', owner, 'consumer', 'lapses', 'request')
  if not has[1] then has = ownerByClaims() end
  -- A lapsed owner is the owner until there is another one.
  local current = has[1] and (has[1] == consumer or tonumber(has[2]) > leaseClock()) and has[1]
  if current and current ~= consumer then return { tostring(math.max(1, tonumber(has[2]) - leaseClock())) } end
  -- An answer was lost, or an older request came late: what it claimed must not be passed by what lies behind it.
  local tells = ARGV[9] == ''
  if current and (number <= tonumber(has[3] or 0) or (not tells and has[3] ~= ARGV[9])) then return { '${TELL}' } end
  barrier = firstOfOthers()
  if barrier then
    local own = lowest(parked) or lowest(ready)
    if (not own or barrier < own) and not lowest(claims) then
      if current then
        redis.call('DEL', owner)
        woken[group] = true
        finish()
      end
      return { '${SOON_MS}' }
    end
  end
  redis.call('HSET', owner, 'consumer', consumer, 'lapses', leaseClock() + ackWait, 'request', ARGV[3])
  if tells or not current then
    local told = {}
    for i = 10, current and #ARGV or 0, 2 do told[ARGV[i]] = ARGV[i + 1] end
    for _, m in ipairs(redis.call('ZRANGEBYSCORE', claims, '-inf', '(inf')) do
      if not told[m] or not isClaimedWith(told[m], redis.call('HGET', work, m)) then
        withdraw(group, m)
        redis.call('ZADD', claims, 0, m)
      end
    end
  end
end
local function isOwn(m)
  local before = redis.call('HGET', work, m)
  return before and string.find(before, ' ' .. consumer .. ':', 1, true)
end
-- What lapsed while this request was on its way is still in the hands of this consumer: it must not pass what lies behind it.
for _, m in ipairs(redis.call('ZRANGEBYSCORE', claims, '(0', leaseClock())) do
  if ordered and isOwn(m) then redis.call('ZADD', claims, leaseClock() + ackWait, m) end
end
local found, stored, looked = {}, {}, 0
-- Takes of the members what this process asked for; they are in no queue any more.
local function take(members)
  local events = readEvents(members)
  looked = looked + #members
  for i, m in ipairs(members) do
    local fields = events[i]
    if not fields then
      redis.call('HDEL', work, m)
    elseif barrier and m > barrier then
      redis.call('ZADD', ready, sequenceOf(m), m)
    elseif asksFor(fields[2]) then
      found[#found + 1], stored[#stored + 1] = m, fields
    elseif park(group, m, fields[2]) and ordered and (not barrier or m < barrier) then
      barrier = m
    end
  end
end
local function takeFrom(key, upTo)
  while #found < limit and looked < ${MAX_LOOKED_AT} do
    local members = redis.call('ZRANGEBYSCORE', key, '-inf', upTo, 'LIMIT', 0, limit - #found)
    if #members == 0 then return end
    redis.call('ZREM', key, unpack(members))
    take(members)
  end
end
takeFrom(claims, leaseClock())
takeFrom(p .. ':due:' .. group, wall())
takeFrom(p .. ':later:' .. group, clock())
while #found < limit and looked < ${MAX_LOOKED_AT} do
  local most = limit - #found
  local own = redis.call('ZRANGEBYSCORE', parked, '-inf', '(inf', 'LIMIT', 0, most)
  local members = {}
  if #own == 0 and not barrier then
    local popped = redis.call('ZPOPMIN', ready, most)
    for i = 1, #popped, 2 do
      if popped[i] ~= '~' then members[#members + 1] = popped[i] else redis.call('ZADD', ready, 'inf', '~') end
    end
  else
    for _, m in ipairs(redis.call('ZRANGEBYSCORE', ready, '-inf', '(inf', 'LIMIT', 0, most)) do own[#own + 1] = m end
    table.sort(own)
    for i = 1, math.min(most, #own) do
      if barrier and own[i] > barrier then break end
      members[i] = own[i]
    end
    if #members > 0 then
      redis.call('ZREM', ready, unpack(members))
      redis.call('ZREM', parked, unpack(members))
    end
  end
  if #members == 0 then break end
  take(members)
end
local answer = { '-1' }
local claimed, bodies = {}, #found > 0 and redis.call('HMGET', p .. ':bodies', unpack(sequencesOf(found))) or {}
for i, m in ipairs(found) do
  if bodies[i] then claimed[#claimed + 1] = m else redis.call('HDEL', work, m) end
end
if #claimed > 0 then
  local erasures = erasuresOf(sequencesOf(found))
  local before = redis.call('HMGET', work, unpack(found))
  local tokens, lapses, lapse = {}, {}, leaseClock() + ackWait
  for i, m in ipairs(found) do
    if bodies[i] then
      local attempts = before[i] and string.match(before[i], '^%d+') or '0'
      local at = #tokens
      tokens[at + 1], tokens[at + 2] = m, attempts .. ' ' .. token
      lapses[at + 1], lapses[at + 2] = lapse, m
      at = #answer
      answer[at + 1], answer[at + 2], answer[at + 3] = m, attempts, stored[i][6]
      answer[at + 4], answer[at + 5] = bodies[i], erasures[i] or ''
    end
  end
  redis.call('HSET', work, unpack(tokens))
  redis.call('ZADD', claims, unpack(lapses))
elseif looked >= ${MAX_LOOKED_AT} or #found > 0 or barrier then
  answer[1] = '${SOON_MS}'
else
  local wait = math.huge
  for key, now in pairs({ [p .. ':due:' .. group] = wall(), [p .. ':later:' .. group] = clock(), [claims] = leaseClock() }) do
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    if first then wait = math.min(wait, tonumber(first) - now) end
  end
  if wait < math.huge then answer[1] = string.format('%d', math.max(1, wait)) end
end
finish()
return answer`)

/**
 * Counts an attempt of each claim before its handler runs; once, however often it is asked. ARGV: group, ackWaitMs, then work,
 * token and number of the attempt of each. Answers for each claim 0 when it was lost, 1 when it still stands, or the JSON of
 * the erasure when its event was erased.
 */
export const START = freeingScript(`
local claims, work, lapse = p .. ':claims:' .. ARGV[1], p .. ':work:' .. ARGV[1], leaseClock() + tonumber(ARGV[2])
local members, answer, counts, lapses = {}, {}, {}, {}
for i = 3, #ARGV, 3 do members[#members + 1] = ARGV[i] end
local before, erasures = redis.call('HMGET', work, unpack(members)), erasuresOf(sequencesOf(members))
for i, m in ipairs(members) do
  local attempts, token = string.match(before[i] or '', '^(%d+) (.*)$')
  if token == ARGV[3 * i + 1] then
    local at = #counts
    counts[at + 1], counts[at + 2] = m, math.max(attempts, ARGV[3 * i + 2]) .. ' ' .. token
    lapses[at + 1], lapses[at + 2] = lapse, m
    answer[i] = erasures[i] or 1
  else
    answer[i] = 0
  end
end
if #counts > 0 then
  redis.call('HSET', work, unpack(counts))
  redis.call('ZADD', claims, 'XX', unpack(lapses))
end
return answer`)

/** ARGV: group, consumer, ackWaitMs, then work and token of every claim. */
export const EXTEND = freeingScript(`
local claims, work = p .. ':claims:' .. ARGV[1], p .. ':work:' .. ARGV[1]
local lapses = leaseClock() + tonumber(ARGV[3])
for i = 4, #ARGV, 2 do
  local before = redis.call('HGET', work, ARGV[i])
  if before and string.match(before, ' (.*)$') == ARGV[i + 1] then redis.call('ZADD', claims, 'XX', lapses, ARGV[i]) end
end
local owner = p .. ':owner:' .. ARGV[1]
if redis.call('HGET', owner, 'consumer') == ARGV[2] then redis.call('HSET', owner, 'lapses', lapses) end`)
