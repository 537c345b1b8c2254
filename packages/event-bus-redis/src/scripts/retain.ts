import { freeingScript } from './fragments/script.js'

/** Events that a group holds back are looked at again after this, since it may settle them elsewhere. */
const HELD_BACK_MS = 5_000

/**
 * Removes the oldest events that are over the limits, with all that is stored about them; stops at the first that a
 * group has not handled for the first time. Dead letters stay, and what is delayed, tried again or replayed; they do
 * not count, and \`meta\` notes up to which sequence only they are left.
 * ARGV: maxAgeMs, maxEvents, maxBytes, each empty when there is none, and how many events to look at. Answers how many
 * events and bytes were removed, and milliseconds until the next look, or -1.
 */
export const RETAIN = freeingScript(`
local maxAge, maxEvents, maxBytes, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local meta = redis.call('HMGET', p .. ':meta', 'bytes', 'scanned', 'leftBytes', 'repair')
if meta[4] then return { 0, 0, ${HELD_BACK_MS} } end
local last, scanned, leftBytes = headOf(), tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local left = tonumber(meta[1] or 0) - leftBytes
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
  if (maxEvents and last - sequence + 1 > maxEvents) or (maxBytes and left > maxBytes) or (ageLeft and ageLeft <= 0) then
    count = i
  elseif ageLeft and (nextLook < 0 or ageLeft < nextLook) then
    nextLook = ageLeft
  end
  if maxBytes then left = left - sizeOf(sequence) end
end
local tooMany, groups = count, redis.call('HKEYS', p .. ':groups')
local sequences, stays = {}, {}
for i = 1, count do sequences[i] = oldest[i][1] end
-- Beside its mark.
if count > 0 and redis.call('HLEN', p .. ':filling') > 1 then count = 0 end
for _, group in ipairs(groups) do
  if count > 0 then
    local deliveries, members = redis.call('HMGET', p .. ':deliveries:' .. group, '', unpack(sequences)), {}
    for i, sequence in ipairs(sequences) do
      local before = deliveries[i + 1]
      members[i] = member(sequence, before and tonumber(string.match(before, '^{"replays":(%d+)')) or 0)
    end
    local dead = redis.call('ZMSCORE', p .. ':dead:' .. group, '~', unpack(sequences))
    -- What a lost key held is not known yet: all of it may have to stay.
    local isWhole, keys, marked = deliveries[1] and dead[1], workKeys(group)
    for n, key in ipairs(keys) do
      local waiting = redis.call('ZMSCORE', key, '~', unpack(members))
      if n <= marked and not waiting[1] then isWhole = false end
      for i = 1, count do
        if waiting[i + 1] and deliveries[i + 1] then stays[i] = true
        elseif waiting[i + 1] then count = i - 1 break end
      end
    end
    if not isWhole then count = 0 end
    for i = 1, count do
      if dead[i + 1] then stays[i] = true end
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
    for _, name in ipairs({ 'type:' .. fields[2], 'source:' .. fields[4] }) do
      touched[name] = touched[name] or {}
      table.insert(touched[name], sequence)
    end
  end
end
if leftBytes == 0 then redis.call('XTRIM', p .. ':events', 'MINID', '=', string.format('%d-0', upTo + 1))
elseif #ids > 0 then redis.call('XDEL', p .. ':events', unpack(ids)) end
for name, members in pairs(touched) do
  redis.call('ZREM', p .. ':' .. name, unpack(members))
  dropEmptyIndex(name)
end
if #removed > 0 then
  redis.call('HDEL', p .. ':bodies', unpack(removed))
  redis.call('HDEL', p .. ':erased', unpack(removed))
  if redis.call('EXISTS', p .. ':erased') == 0 then redis.call('HDEL', p .. ':meta', 'erasures') end
  for _, group in ipairs(groups) do redis.call('HDEL', p .. ':deliveries:' .. group, unpack(removed)) end
end
if bytes > 0 then redis.call('HINCRBY', p .. ':meta', 'bytes', -bytes) end
-- While nothing was left behind, the stream itself says where the oldest event is.
if leftBytes > 0 then redis.call('HSET', p .. ':meta', 'scanned', upTo, 'leftBytes', leftBytes) end
return { #removed, bytes, count == most and 0 or nextLook }`)
