import { freeingScript } from './library.js'

/** Leaves of the state of an event for a group, or of its dead letter, what says nothing of the event's data. */
export const WITHOUT_CONTENT = `
local function withoutContent(json)
  local letter = string.match(json, '^({"atMs":%d+,"attempts":%d+)')
  -- What waits for its first attempt has no duration, and no content.
  local numbers = letter or string.match(json, '^({"replays":%d+,[^{]-"durationMs":[^,{}]+)')
  if not numbers then return json end
  local failed = letter or not string.find(numbers, '"status":"succeeded"', 1, true)
  return numbers .. (failed and ',"error":{"message":"erased"}}' or '}')
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
for _, group in ipairs(redis.call('HKEYS', p .. ':groups')) do
  for _, key in ipairs({ p .. ':deliveries:' .. group, p .. ':letters:' .. group }) do
    local before = redis.call('HGET', key, sequence)
    if before then redis.call('HSET', key, sequence, withoutContent(before)) end
  end
end
return 1`)
