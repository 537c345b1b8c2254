import { script } from './library.js'

/** Events that a group holds back are looked at again after this, since it may settle them elsewhere. */
const HELD_BACK_MS = 5_000

/**
 * Removes the oldest events beyond the limits, with all that is kept about them; stops at the first that a
 * group still has to do with. ARGV: maxAgeMs, maxEvents, maxBytes, each empty when there is none, and how many
 * events to look at. Answers how many events and bytes were removed, and milliseconds until the next look, or -1.
 */
export const RETAIN = script(`
local maxAge, maxEvents, maxBytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local meta = redis.call('HMGET', p .. ':meta', 'head', 'bytes')
local last, kept, now = tonumber(meta[1] or 0), tonumber(meta[2] or 0), clock()
local oldest, nextLook = {}, -1
for _, entry in ipairs(redis.call('XRANGE', p .. ':events', '-', '+', 'COUNT', ARGV[4])) do
  local sequence, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
  local ageLeft = maxAge and tonumber(fields[6]) + maxAge - now
  if not ((maxEvents and last - sequence + 1 > maxEvents) or (maxBytes and kept > maxBytes)
    or (ageLeft and ageLeft <= 0)) then
    nextLook = ageLeft or -1
    break
  end
  kept = kept - #fields[10]
  oldest[#oldest + 1] = { sequence, fields }
end
local count, groups = #oldest, redis.call('HKEYS', p .. ':groups')
local sequences = {}
for i, event in ipairs(oldest) do sequences[i] = event[1] end
if count > 0 and redis.call('HLEN', p .. ':filling') > 0 then count = 0 end
for _, group in ipairs(groups) do
  if count > 0 then
    local members = redis.call('HMGET', p .. ':deliveries:' .. group, unpack(sequences))
    for i, before in ipairs(members) do
      members[i] = member(sequences[i], before and tonumber(string.match(before, '^{"replays":(%d+)')) or 0)
    end
    for _, kind in ipairs({ ':ready:', ':due:', ':claims:' }) do
      local held = redis.call('ZMSCORE', p .. kind .. group, unpack(members))
      for i = 1, count do
        if held[i] then count = i - 1 break end
      end
    end
  end
end
if count < #oldest then nextLook = ${HELD_BACK_MS} end
if count == 0 then return { 0, 0, nextLook } end
local bytes, upTo, ids, touched = 0, sequences[count], {}, {}
local removed = {}
for i = 1, count do
  local fields = oldest[i][2]
  removed[i] = sequences[i]
  bytes = bytes + #fields[10]
  touched[':type:' .. fields[2]], touched[':source:' .. fields[4]] = fields[2], false
  local id = string.match(fields[10], '^{"specversion":"1.0","id":"([^"]*)"')
  if not id or string.find(id, '\\\\', 1, true) then
    local read, event = pcall(cjson.decode, fields[10])
    id = read and event.id
  end
  if id then ids[#ids + 1] = id end
end
redis.call('XTRIM', p .. ':events', 'MINID', '=', (upTo + 1) .. '-0')
if #ids > 0 then redis.call('HDEL', p .. ':ids', unpack(ids)) end
for index, type in pairs(touched) do
  redis.call('ZREMRANGEBYSCORE', p .. index, '-inf', upTo)
  if type and redis.call('EXISTS', p .. index) == 0 then redis.call('SREM', p .. ':types', type) end
end
for _, group in ipairs(groups) do
  redis.call('HDEL', p .. ':deliveries:' .. group, unpack(removed))
  redis.call('HDEL', p .. ':letters:' .. group, unpack(removed))
  redis.call('ZREMRANGEBYSCORE', p .. ':dead:' .. group, '-inf', upTo)
end
redis.call('HINCRBY', p .. ':meta', 'bytes', -bytes)
redis.call('HSET', p .. ':meta', 'first', upTo + 1)
return { count, bytes, count == tonumber(ARGV[4]) and 0 or nextLook }`)
