import { script } from './library.js'

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
