import { freeingScript } from './library.js'

/** Events that a group holds back are looked at again after this, since it may settle them elsewhere. */
const HELD_BACK_MS = 5_000

/**
 * Removes the oldest events beyond the limits, with all that is stored about them; stops at the first that a
 * group has not handled for the first time. Dead letters stay, and what is delayed, tried again or replayed; they do
 * not count, and \`meta\` notes up to which sequence only they are left.
 * ARGV: maxAgeMs, maxEvents, maxBytes, each empty when there is none, and how many events to look at. Answers how many
 * events and bytes were removed, and milliseconds until the next look, or -1.
 */
export const RETAIN = freeingScript(`
local maxAge, maxEvents, maxBytes, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local meta = redis.call('HMGET', p .. ':meta', 'bytes', 'scanned', 'leftBytes')
local last, scanned, leftBytes = headOf(), tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local kept = tonumber(meta[1] or 0) - leftBytes
local found = redis.call('XRANGE', p .. ':events', string.format('%d-0', scanned + 1), '+', 'COUNT', most)
local oldest, count, nextLook = {}, 0, -1
local function sizeOf(sequence)
  return redis.call('HSTRLEN', p .. ':bodies', sequence)
end
for i, entry in ipairs(found) do
  local sequence, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
  oldest[i] = { sequence, fields }
  -- What was stored before an event that is too old is too old, though a wrong clock stamped it.
  local ageLeft = maxAge and tonumber(fields[6]) + maxAge - wall()
  if (maxEvents and last - sequence + 1 > maxEvents) or (maxBytes and kept > maxBytes) or (ageLeft and ageLeft <= 0) then
    count = i
  elseif ageLeft and (nextLook < 0 or ageLeft < nextLook) then
    nextLook = ageLeft
  end
  if maxBytes then kept = kept - sizeOf(sequence) end
end
local tooMany, groups = count, redis.call('HKEYS', p .. ':groups')
local sequences, stays = {}, {}
for i = 1, count do sequences[i] = oldest[i][1] end
if count > 0 and redis.call('HLEN', p .. ':filling') > 0 then count = 0 end
for _, group in ipairs(groups) do
  if count > 0 then
    local deliveries, members = redis.call('HMGET', p .. ':deliveries:' .. group, unpack(sequences)), {}
    for i, before in ipairs(deliveries) do
      members[i] = member(sequences[i], before and tonumber(string.match(before, '^{"replays":(%d+)')) or 0)
    end
    for _, key in ipairs(workKeys(group)) do
      local waiting = redis.call('ZMSCORE', key, unpack(members))
      for i = 1, count do
        if waiting[i] and deliveries[i] then stays[i] = true
        elseif waiting[i] then count = i - 1 break end
      end
    end
    for i, score in ipairs(redis.call('ZMSCORE', p .. ':dead:' .. group, unpack(sequences))) do
      if score then stays[i] = true end
    end
  end
end
if count < tooMany then nextLook = ${HELD_BACK_MS} end
if count == 0 then return { 0, 0, nextLook } end
local bytes, upTo, touched, ids, removed = 0, sequences[count], {}, {}, {}
for i = 1, count do
  local sequence, fields = oldest[i][1], oldest[i][2]
  if stays[i] then
    leftBytes = leftBytes + sizeOf(sequence)
  else
    removed[#removed + 1], ids[#ids + 1] = sequence, string.format('%d-0', sequence)
    bytes = bytes + sizeOf(sequence)
    forgetIdentity(fields[10], fields[4], sequence)
    for _, index in ipairs({ ':type:' .. fields[2], ':source:' .. fields[4] }) do
      touched[index] = touched[index] or {}
      table.insert(touched[index], sequence)
    end
  end
end
if leftBytes == 0 then redis.call('XTRIM', p .. ':events', 'MINID', '=', string.format('%d-0', upTo + 1))
elseif #ids > 0 then redis.call('XDEL', p .. ':events', unpack(ids)) end
for index, members in pairs(touched) do
  redis.call('ZREM', p .. index, unpack(members))
  if string.sub(index, 1, 6) == ':type:' and redis.call('EXISTS', p .. index) == 0 then
    redis.call('SREM', p .. ':types', string.sub(index, 7))
  end
end
if #removed > 0 then
  redis.call('HDEL', p .. ':bodies', unpack(removed))
  redis.call('HDEL', p .. ':erased', unpack(removed))
  for _, group in ipairs(groups) do redis.call('HDEL', p .. ':deliveries:' .. group, unpack(removed)) end
end
if bytes > 0 then redis.call('HINCRBY', p .. ':meta', 'bytes', -bytes) end
-- While nothing was left behind, the stream itself says where the oldest event is.
if leftBytes > 0 then redis.call('HSET', p .. ':meta', 'scanned', upTo, 'leftBytes', leftBytes) end
return { #removed, bytes, count == most and 0 or nextLook }`)
