/** A silence of the whole bus that is longer than this does not use up leases. */
const LONGEST_SILENCE_MS = 10_000
/** The newest time seen is stored this often: a step of the server's clock counts from there. */
const NOTED_EVERY_MS = 100

/**
 * The three clocks of a bus. All of them come from the server, since machines disagree.
 *
 * - `wall()` is the server's own time: for times that users see or give.
 * - `clock()` does not go back when the server's clock is set back: for delays.
 * - `leaseClock()` also stands still while no process is there to renew its leases: a server clock that is set forward
 *   lets no claim lapse. A process that was not there before the silence knows that the others are gone, and counts it.
 *
 * `clock` is a hash: last (the newest time seen), offset (from the wall clock), silent (what leases do not count). The
 * last two stand in `meta` as well, so that the clocks go on where the key is deleted.
 */
export const CLOCK = `
local wallMs, nowMs, leaseMs
local function noteClock(offset, silent)
  redis.call('HSET', p .. ':clock', 'offset', offset, 'silent', silent)
  redis.call('HSET', p .. ':meta', 'offset', offset, 'silent', silent)
end
local function tick()
  local t = redis.call('TIME')
  wallMs = t[1] * 1000 + math.floor(t[2] / 1000)
  local before = redis.call('HMGET', p .. ':clock', 'last', 'offset', 'silent')
  local isNew = not before[1]
  if isNew then
    local copy = redis.call('HMGET', p .. ':meta', 'offset', 'silent')
    if copy[1] then redis.call('HSET', p .. ':meta', 'lostClock', 1) end
    before = { false, copy[1], copy[2] }
  end
  local offset, silent = tonumber(before[2] or 0), tonumber(before[3] or 0)
  nowMs = wallMs + offset
  local last = tonumber(before[1] or nowMs)
  if nowMs < last then
    offset, nowMs = offset + last - nowMs, last
    noteClock(offset, silent)
  elseif nowMs - last > ${LONGEST_SILENCE_MS} and redis.call('ZSCORE', p .. ':processes', me) then
    silent = silent + nowMs - last
    noteClock(offset, silent)
  elseif isNew then
    noteClock(offset, silent)
  end
  if isNew or nowMs - last >= ${NOTED_EVERY_MS} then redis.call('HSET', p .. ':clock', 'last', nowMs) end
  leaseMs = nowMs - silent
end
local function wall()
  if not wallMs then tick() end
  return wallMs
end
local function clock()
  if not nowMs then tick() end
  return nowMs
end
local function leaseClock()
  if not leaseMs then tick() end
  return leaseMs
end
`
