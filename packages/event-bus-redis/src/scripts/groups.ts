import { freeingScript, script } from './fragments/script.js'

/**
 * Adds a consumer to a group, which is made where it is missing. ARGV: group, consumer, JSON patterns, sequence to start
 * after or -1 for the end, an id for the group where it is made, the id of the group that the consumer was in or an empty
 * string, 1 when the server was emptied since, the id of the patterns in the group that the consumer was in, or an empty
 * string, milliseconds for which the process counts as alive. Answers 1 when older events have to be filled in, the id of the patterns, the
 * sequence behind which the group still has something to do, 1 when the group was made, the names of its keys that were
 * lost, and the id of the group.
 */
export const OPEN_GROUP = freeingScript(`
local group, consumer, patterns, start = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
local entry, head = entryOf(group), headOf()
local made = not entry
if made then
  entry = { id = ARGV[5], startAfter = start < 0 and head or start, patterns = {}, sets = {}, last = 0 }
  redis.call('HINCRBY', p .. ':meta', 'revision', 1)
end
-- Another process made the group again before this one, which waits for what was published since.
local isAgain, own, fills = not made and ARGV[6] ~= '' and ARGV[6] ~= entry.id, nil, made
for _, set in ipairs(entry.sets) do
  if table.concat(set.patterns, '\\n') == table.concat(patterns, '\\n') then own = set end
end
-- Sets of a group that is made again come in the order that they had.
local function newId()
  local before = (made or isAgain) and tonumber(ARGV[8])
  for _, set in ipairs(entry.sets) do
    if set.id == before then before = nil end
  end
  return before or entry.last + 1
end
if not own then
  own = { id = newId(), patterns = patterns, seen = clock(), from = made and entry.startAfter or head }
  entry.last = math.max(entry.last, own.id)
  entry.sets[#entry.sets + 1] = own
  table.sort(entry.sets, function(a, b) return a.id < b.id end)
end
if isAgain then
  if ARGV[7] == '1' then entry.startAfter = math.min(entry.startAfter, start) end
  fills, own.from = own.from > entry.startAfter, entry.startAfter
end
redis.call('HSET', p .. ':members:' .. group, consumer, string.format('%d %s', own.id, me))
redis.call('HSET', p .. ':process:' .. me, consumer, string.format('%d %s', own.id, group))
-- The server may have been emptied since the process last said that it is there: members without a process are taken out.
redis.call('ZADD', p .. ':processes', 'NX', leaseClock() + tonumber(ARGV[9]), me)
route(group, entry)
local lost = mark(group)
if made then lost = {} end
if (fills or #lost > 0) and entry.startAfter < head then refill(group, entry.startAfter, howToFill(lost)) end
local first = lowest(p .. ':ready:' .. group)
local position = made and entry.startAfter or (first and sequenceOf(first) - 1) or head
finish()
return { redis.call('HEXISTS', p .. ':filling', group), own.id, position, made and 1 or 0, lost, entry.id }`)

/**
 * Gives a group what it wants and has neither finished nor waiting: all of it when the group is new, what was lost when
 * a key of the group was deleted. ARGV: group, how many events to look at. Answers 1 while there are more.
 */
export const FILL_GROUP = freeingScript(`
local group, most = ARGV[1], tonumber(ARGV[2])
local filling, entry = redis.call('HGET', p .. ':filling', group), entryOf(group)
if not filling then return 0 end
if not entry then
  redis.call('HDEL', p .. ':filling', group)
  return 0
end
local from, to, how = string.match(filling, '^(%d+) (%d+) (%a+)$')
local deliveries, work, dead = p .. ':deliveries:' .. group, p .. ':work:' .. group, p .. ':dead:' .. group
local found = redis.call('XRANGE', p .. ':events', (tonumber(from) + 1) .. '-0', to .. '-0', 'COUNT', most)
local last = #found < most and to or string.match(found[most][1], '^%d+')
-- The key of the zset where the work waits, and its score there.
local function whereIs(m)
  for _, key in ipairs(workKeys(group)) do
    local score = redis.call('ZSCORE', key, m)
    if score then return key, tonumber(score) end
  end
end
local function restoreRecord(sequence, m, key, score)
  local due
  if key == p .. ':due:' .. group then due = score end
  if key == p .. ':later:' .. group then due = score - clock() + wall() end
  if due then pending(group, sequence, tonumber(string.sub(m, 18)), due) end
end
for _, entryOfLog in ipairs(found) do
  local sequence, fields = tonumber(string.match(entryOfLog[1], '^%d+')), entryOfLog[2]
  local delivery = redis.call('HGET', deliveries, sequence)
  local status = delivery and string.match(delivery, '"status":"([a-z-]+)"')
  local m = member(sequence, delivery and tonumber(string.match(delivery, '^{"replays":(%d+)')) or 0)
  if status == 'dead-lettered' then
    if not wasPurged(delivery) then redis.call('ZADD', dead, sequence, sequence) end
  elseif not delivery and redis.call('ZSCORE', dead, sequence) then
    redis.call('HSET', deliveries, sequence, string.format('{"replays":0,"updatedAtMs":%d,"status":"dead-lettered","attempts":0,"durationMs":0,"error":{"message":"the server lost what was stored about it"}}', wall()))
  elseif (not delivery or status == 'pending' or status == 'retrying') and matchesAny(entry.patterns, split(fields[2])) then
    local key, score = whereIs(m)
    local due = tonumber(delivery and string.match(delivery, '"nextAttemptAtMs":(%d+)') or fields[8])
    if key then
      local attempts = delivery and tonumber(string.match(delivery, '"attempts":(%d+)')) or 0
      if attempts > 0 then redis.call('HSETNX', work, m, attempts) end
      if not delivery then restoreRecord(sequence, m, key, score) end
    elseif how == 'records' and not delivery then
      redis.call('HSET', deliveries, sequence, '{"replays":0,"status":"lost"}')
    elseif due > wall() then redis.call('ZADD', p .. ':due:' .. group, due, m)
    else redis.call('ZADD', p .. ':ready:' .. group, sequence, m) end
  end
end
if tonumber(last) < tonumber(to) then
  redis.call('HSET', p .. ':filling', group, string.format('%s %s %s', last, to, how))
  return 1
end
redis.call('HDEL', p .. ':filling', group)
woken[group] = true
finish()
return 0`)

/**
 * A consumer leaves its group, and gives back its claims; another one of an ordered group can take over at once. ARGV:
 * group, consumer, then work and token of each claim.
 */
export const LEAVE_GROUP = freeingScript(`
local group, consumer, owner = ARGV[1], ARGV[2], p .. ':owner:' .. ARGV[1]
for i = 3, #ARGV, 2 do
  local m, before = ARGV[i], redis.call('HGET', p .. ':work:' .. group, ARGV[i])
  local attempts, token = string.match(before or '', '^(%d+) (.*)$')
  if token == ARGV[i + 1] then
    redis.call('HSET', p .. ':work:' .. group, m, attempts)
    redis.call('ZREM', p .. ':claims:' .. group, m)
    redis.call('ZADD', p .. ':ready:' .. group, sequenceOf(m), m)
    woken[group] = true
  end
end
leave(group, consumer)
redis.call('HDEL', p .. ':process:' .. me, consumer)
if redis.call('HGET', owner, 'consumer') == consumer then
  redis.call('DEL', owner)
  woken[group] = true
end
finish()`)

/** ARGV: group. Answers 1 when there was one. */
export const REMOVE_GROUP = freeingScript(`
local group = ARGV[1]
for _, key in ipairs(workKeys(group)) do redis.call('UNLINK', key) end
for _, name in ipairs({ 'parked-sets', 'work', 'deliveries', 'dead', 'owner', 'members', 'states', 'state-keys' }) do
  redis.call('UNLINK', p .. ':' .. name .. ':' .. group)
end
redis.call('HDEL', p .. ':filling', group)
redis.call('ZREM', p .. ':forget', group)
redis.call('DEL', p .. ':routes')
redis.call('HINCRBY', p .. ':meta', 'revision', 1)
lookAgain()
redis.call('HDEL', p .. ':groups-backup', group)
return redis.call('HDEL', p .. ':groups', group)`)

const AGAIN = `
-- Delivers an event once more. What still waits of it is replaced, so that it is handled once more, not several times. Where
-- a redelivery waits that no consumer has taken, there is no second one: answers false then; a replay makes a redrive that
-- waits a replay.
local function deliverAgain(group, sequence, asked)
  local before = redis.call('HGET', p .. ':deliveries:' .. group, sequence)
  local replays = before and tonumber(string.match(before, '^{"replays":(%d+)')) or 0
  local waiting = member(sequence, replays)
  local waitsFor = before and string.match(before, '"status":"pending".*"asked":"(%a+)"}$')
  local waits = waitsFor and not redis.call('ZSCORE', p .. ':claims:' .. group, waiting)
  if waits and (asked == 'redrive' or waitsFor == 'replay') then return false end
  for _, key in ipairs(workKeys(group)) do
    if key ~= p .. ':claims:' .. group and redis.call('ZREM', key, waiting) == 1 then
      redis.call('HDEL', p .. ':work:' .. group, waiting)
    end
  end
  if asked == 'replay' then replays = replays + 1 end
  redis.call('ZREM', p .. ':dead:' .. group, sequence)
  redis.call('ZADD', p .. ':ready:' .. group, sequence, member(sequence, replays))
  pending(group, sequence, replays, nil, asked)
  woken[group] = true
  return not waits
end
`

/** ARGV: JSON list of groups or an empty string, then sequences. Answers how many events and deliveries. */
export const REPLAY = script(`${AGAIN}
local only = ARGV[1] ~= '' and {} or nil
if only then for _, name in ipairs(cjson.decode(ARGV[1])) do only[name] = true end end
local events, deliveries = 0, 0
for i = 2, #ARGV do
  local sequence = tonumber(ARGV[i])
  local fields = eventAt(sequence)
  if fields then
    events = events + 1
    for _, group in ipairs(routesOf(fields[2])) do
      if (not only or only[group]) and deliverAgain(group, sequence, 'replay') then deliveries = deliveries + 1 end
    end
  end
end
lookAgain()
finish()
return { events, deliveries }`)

const END_LETTERS = `${AGAIN}
local group, count = ARGV[1], 0
for i = 2, #ARGV do
  local sequence = tonumber(ARGV[i])
  if redis.call('ZREM', p .. ':dead:' .. group, sequence) == 1 then
    count = count + 1
    if REDRIVE then deliverAgain(group, sequence, 'redrive')
    else notePurged(group, sequence) end
  end
end
lookAgain()
finish()
return count`

/** Delivers dead letters again. ARGV: group, sequences. Answers how many were dead letters. */
export const REDRIVE = script(`local REDRIVE = true\n${END_LETTERS}`)

/** Removes dead letters. ARGV: group, sequences. Answers how many there were. */
export const PURGE = freeingScript(`local REDRIVE = false\n${END_LETTERS}`)
