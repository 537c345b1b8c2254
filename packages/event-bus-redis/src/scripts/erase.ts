import { freeingScript } from './fragments/script.js'

/** Leaves of the state of an event for a group what says nothing of the event's data. */
export const WITHOUT_CONTENT = `
local function withoutContent(json)
  -- What waits for its first attempt has no duration, and no content. Succeeded and suspended are no failures.
  local numbers = string.match(json, '^({"replays":%d+,[^{]-"durationMs":[^,{}]+)')
  if not numbers then return json end
  local failed = not string.find(numbers, '"status":"su', 1, true)
  return numbers .. (failed and ',"error":{"message":"erased"}' or '') .. (wasPurged(json) and PURGED or '}')
end
`

/**
 * Replaces an event by its envelope, and removes what groups wrote about it. ARGV: sequence, id, source, JSON of the
 * envelope, reason as JSON, or an empty string. Answers 1, or 0 when the event is gone.
 */
export const ERASE = freeingScript(`${WITHOUT_CONTENT}
local sequence, envelope, reason = ARGV[1], ARGV[4], ARGV[5]
local fields = eventAt(sequence)
if not fields or fields[10] ~= ARGV[2] or fields[4] ~= ARGV[3] then return 0 end
redis.call('HINCRBY', p .. ':meta', 'bytes', #envelope - redis.call('HSTRLEN', p .. ':bodies', sequence))
redis.call('HSET', p .. ':bodies', sequence, envelope)
local erasure = string.format('{"atMs":%d', wall()) .. (reason ~= '' and ',"reason":' .. reason or '') .. '}'
redis.call('HSET', p .. ':erased', sequence, erasure)
redis.call('HSET', p .. ':meta', 'erasures', 1)
for _, group in ipairs(redis.call('HKEYS', p .. ':groups')) do
  local key = p .. ':deliveries:' .. group
  local before = redis.call('HGET', key, sequence)
  if before then redis.call('HSET', key, sequence, withoutContent(before)) end
end
return 1`)
