import { CHANGE_STATE } from '../state/change-state.js'
import { WITHOUT_CONTENT } from './erase.js'
import { freeingScript, script } from './fragments/script.js'

/** Writes what a settlement says about an event, behind the replay and the server's times. */
const RECORD = `${WITHOUT_CONTENT}
local updated = string.format(',"updatedAtMs":%d,', wall())
-- The delay is false where no attempt follows. Nothing that a handler said of an erased event is stored.
local function stamp(m, json, delay, isErased)
  local next = delay and string.format('"nextAttemptAtMs":%d,', wall() + delay) or ''
  local stamped = '{"replays":' .. string.sub(m, 18) .. updated .. next .. string.sub(json, 2)
  return isErased and withoutContent(stamped) or stamped
end
-- Records of the events, to tell whether a replay has a newer one by now.
local function recordsOf(group, sequences)
  return redis.call('HMGET', p .. ':deliveries:' .. group, unpack(sequences))
end
local function settledBehind(sequences)
  local scanned = tonumber(redis.call('HGET', p .. ':meta', 'scanned') or 0)
  for _, sequence in ipairs(sequences) do
    if sequence <= scanned then return lookAgain() end
  end
end
local function isNewest(m, record)
  local replays = record and tonumber(string.match(record, '^{"replays":(%d+)')) or 0
  return replays <= tonumber(string.sub(m, 18))
end
`

/**
 * Acks that emit nothing. ARGV: group, then of each the work, the claim's token and its delivery as JSON. Answers 1 for each that
 * was settled, 0 for a claim that was lost.
 */
export const ACK =
  freeingScript(`${RECORD}local claims, work, members = p .. ':claims:' .. ARGV[1], p .. ':work:' .. ARGV[1], {}
for i = 2, #ARGV, 3 do members[#members + 1] = ARGV[i] end
local before = redis.call('HMGET', work, unpack(members))
local sequences = sequencesOf(members)
local records, erasures = recordsOf(ARGV[1], sequences), erasuresOf(sequences)
local done, deliveries, answer = {}, {}, {}
for i, m in ipairs(members) do
  if isClaimedWith(ARGV[3 * i], before[i]) then
    done[#done + 1] = m
    local at = #deliveries
    if isNewest(m, records[i]) then
      deliveries[at + 1], deliveries[at + 2] = sequences[i], stamp(m, ARGV[3 * i + 1], false, erasures[i])
    end
    answer[i] = 1
  else
    answer[i] = 0
  end
end
if #done > 0 then
  if #deliveries > 0 then redis.call('HSET', p .. ':deliveries:' .. ARGV[1], unpack(deliveries)) end
  redis.call('ZREM', claims, unpack(done))
  settledBehind(sequencesOf(done))
  redis.call('HDEL', work, unpack(done))
end
return answer`)

const SETTLE_BODY = `${RECORD}${CHANGE_STATE}local group, ackWait = ARGV[1], tonumber(ARGV[2])
local claims, work = p .. ':claims:' .. group, p .. ':work:' .. group
local results, settled, members = {}, {}, {}
local at = 3
while at <= #ARGV do
  settled[#settled + 1] = at
  members[#members + 1] = ARGV[at]
  at = at + 8 + 5 * tonumber(ARGV[at + 6]) + 2 * tonumber(ARGV[at + 7])
end
local before = redis.call('HMGET', work, unpack(members))
local sequences = sequencesOf(members)
local records, erasures = recordsOf(group, sequences), erasuresOf(sequences)
for i, first in ipairs(settled) do
  local m, token, kind, delay = ARGV[first], ARGV[first + 1], ARGV[first + 2], tonumber(ARGV[first + 3])
  local delivery, attempts = ARGV[first + 4], ARGV[first + 5]
  local sequence, emitted = sequences[i], {}
  if isClaimedWith(token, before[i]) then
    if delivery ~= '' and isNewest(m, records[i]) then
      local isRetry = kind == 'retry' or kind == 'retry-in-place'
      gather('HSET', p .. ':deliveries:' .. group, sequence, stamp(m, delivery, isRetry and delay, erasures[i]))
    end
    if kind == 'retry-in-place' then
      gather('ZADD', claims, leaseClock() + ackWait, m)
    else
      gather('ZREM', claims, m)
      if kind == 'retry' then
        gather('HSET', work, m, attempts)
        gather('ZADD', p .. ':later:' .. group, clock() + delay, m)
        woken[group] = true
      elseif kind == 'release' then
        gather('HSET', work, m, attempts)
        gather('ZADD', p .. ':ready:' .. group, sequence, m)
        woken[group] = true
      else
        gather('HDEL', work, m)
        if kind == 'dead-letter' and isNewest(m, records[i]) then
          gather('ZADD', p .. ':dead:' .. group, sequence, sequence)
        end
        local changes = first + 8 + 5 * tonumber(ARGV[first + 6])
        for e = first + 8, changes - 5, 5 do
          emitted[#emitted + 1] = append(ARGV[e], ARGV[e + 1], ARGV[e + 2], ARGV[e + 3], ARGV[e + 4], '0')
        end
        for c = changes, changes + 2 * tonumber(ARGV[first + 7]) - 2, 2 do
          changeState(group, ARGV[c], ARGV[c + 1])
        end
      end
    end
    results[i] = { 1, emitted }
  else
    results[i] = { 0, emitted }
  end
end
settledBehind(sequences)
finish()
return results`

/**
 * ARGV: group, ackWaitMs, then per settlement: work, token, kind, delayMs, delivery as JSON, attempts, number of
 * emitted events, number of changes of the group's state, then of each event id, type, source, JSON, deliverAt or 0, and of each change key
 * and JSON, or an empty string to remove it. Answers per settlement whether it was settled,
 * and the results of the emitted events.
 */
export const SETTLE = freeingScript(SETTLE_BODY)

/** As SETTLE, for settlements that store events: a server without memory refuses those as it refuses a publish. */
export const SETTLE_AND_EMIT = script(
  `local damage = openLog()\nif damage then return damage end\n${SETTLE_BODY}`,
)
