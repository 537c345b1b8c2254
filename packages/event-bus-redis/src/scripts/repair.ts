import { freeingScript } from './fragments/script.js'

/**
 * Looks through the log after one of its keys was deleted: makes the indexes again, the stream from the bodies, and removes
 * events whose body is gone. ARGV: how many sequences to look at. Answers 1 while there are more, and how many events were
 * removed.
 */
export const REPAIR = freeingScript(`
local repair, removed = redis.call('HGET', p .. ':meta', 'repair'), 0
if not repair then return { 0, 0 } end
local how, from, to = string.match(repair, '^(%d) (%d+) (%d+)$')
from, to = tonumber(from), tonumber(to)
local last = math.min(to, from + tonumber(ARGV[1]))
local groups = redis.call('HKEYS', p .. ':groups')
local function remove(sequence, fields)
  removed = removed + 1
  forgetIdentity(fields[10], fields[4], sequence)
  for _, name in ipairs({ 'type:' .. fields[2], 'source:' .. fields[4] }) do
    redis.call('ZREM', p .. ':' .. name, sequence)
    dropEmptyIndex(name)
  end
  redis.call('XDEL', p .. ':events', string.format('%d-0', sequence))
  redis.call('HDEL', p .. ':erased', sequence)
  for _, group in ipairs(groups) do
    local delivery = redis.call('HGET', p .. ':deliveries:' .. group, sequence)
    local m = member(sequence, delivery and tonumber(string.match(delivery, '^{"replays":(%d+)')) or 0)
    for _, key in ipairs(workKeys(group)) do redis.call('ZREM', key, m) end
    redis.call('HDEL', p .. ':work:' .. group, m)
    redis.call('ZREM', p .. ':dead:' .. group, sequence)
    redis.call('HDEL', p .. ':deliveries:' .. group, sequence)
  end
end
-- Adds the event to the stream again; answers its fields, or nothing where that cannot be done.
local function addAgain(sequence)
  local isJson, event = pcall(cjson.decode, redis.call('HGET', p .. ':bodies', sequence))
  if not isJson or type(event) ~= 'table' then return nil end
  local fields = { 't', event.type, 's', event.source, 'p', string.format('%d', wall()), 'd', '0', 'i', event.id }
  local added = redis.pcall('XADD', p .. ':events', string.format('%d-0', sequence), unpack(fields))
  return not added.err and fields or nil
end
local members = {}
for sequence = from + 1, last do members[#members + 1] = member(sequence, 0) end
local entriesOfLog, bytes = readEvents(members), 0
for i = 1, #members do
  local sequence, fields = from + i, entriesOfLog[i]
  local size = redis.call('HSTRLEN', p .. ':bodies', sequence)
  if size == 0 and fields then remove(sequence, fields) end
  if size > 0 and not fields then fields = addAgain(sequence) end
  if size > 0 and fields then
    index('type:' .. fields[2], sequence, redis.call)
    index('source:' .. fields[4], sequence, redis.call)
    identify(fields[10], fields[4], sequence)
    bytes = bytes + size
  elseif size > 0 then
    redis.call('HDEL', p .. ':bodies', sequence)
    removed = removed + 1
  end
end
redis.call('HINCRBY', p .. ':meta', 'bytes', string.format('%d', bytes))
if last < to then
  redis.call('HSET', p .. ':meta', 'repair', string.format('%s %d %d', how, last, to))
  return { 1, removed }
end
redis.call('HDEL', p .. ':meta', 'repair')
if redis.call('EXISTS', p .. ':events') == 0 then
  -- An empty stream that knows its last sequence.
  redis.call('XADD', p .. ':events', string.format('%d-0', to), 'n', 'n')
  redis.call('XDEL', p .. ':events', string.format('%d-0', to))
end
if how == '2' then
  for _, group in ipairs(groups) do refill(group, entryOf(group).startAfter, 'work') end
end
finish()
return { 0, removed }`)
