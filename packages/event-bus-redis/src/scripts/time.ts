/** A silence of the whole bus that is longer than this does not use up leases. */
const LONGEST_SILENCE_MS = 10_000

/**
 * The three clocks of a bus. All of them come from the server, since machines disagree.
 *
 * - `wall()` is the server's own time: for times that users see or give.
 * - `clock()` does not go back when the server's clock is set back: for delays.
 * - `leaseClock()` also stands still while no process is there to renew its leases: a server clock that is set forward
 *   lets no claim lapse. A process that was not there before the silence knows that the others are gone, and counts it.
 *
 * `clock` is a hash: last (the newest time seen), offset (from the wall clock), silent (what leases do not count).
 */
export const TIME = `
local wallMs, nowMs, leaseMs
local function tick()
  local t = redis.call('TIME')
  wallMs = t[1] * 1000 + math.floor(t[2] / 1000)
  local before = redis.call('HMGET', p .. ':clock', 'last', 'offset', 'silent')
  local last, offset, silent = tonumber(before[1] or wallMs), tonumber(before[2] or 0), tonumber(before[3] or 0)
  nowMs = wallMs + offset
  if nowMs < last then
    offset, nowMs = offset + last - nowMs, last
    redis.call('HSET', p .. ':clock', 'offset', offset)
  elseif nowMs - last > ${LONGEST_SILENCE_MS} and redis.call('ZSCORE', p .. ':processes', me) then
    silent = silent + nowMs - last
    redis.call('HSET', p .. ':clock', 'silent', silent)
  end
  if nowMs ~= last or not before[1] then redis.call('HSET', p .. ':clock', 'last', nowMs) end
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
