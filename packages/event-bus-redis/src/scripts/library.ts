import { LOG } from './log.js'
import { ROUTING } from './routing.js'
import { TIME } from './time.js'
import { WORK } from './work.js'

/**
 * What has to happen at once in Redis. KEYS[1] is the start of every key of the bus. The last argument is the id of the
 * process that asks.
 *
 * events           stream   N-0 → t type, s source, p time of storing, d time of delivery, i id
 * bodies           hash     sequence → JSON of the event; apart from the stream, whose entries cannot be changed or wiped
 * erased           hash     sequence → JSON { atMs, reason } of an event whose data was erased
 * meta             hash     head (newest sequence), published (its time), bytes, instance, revision, scanned, leftBytes
 * ids              hash     event id → sequence of the first event with this id
 * same:ID          hash     source → sequence of further events with this id
 * types            set      every event type; type:T and source:S are zsets of sequences
 * ready:G          zset     work by sequence
 * due:G            zset     work by the server's time at which a publisher wants it delivered
 * later:G          zset     work by the bus's time at which its delay is over
 * claims:G         zset     work by the lease time at which its claim lapses
 * parked:G         hash     ids of sets of patterns for whose processes work waits in parked:G:ID, a zset as ready:G
 * work:G           hash     attempts of claimed or waiting work; of claimed work, then the claim's token
 * deliveries:G     hash     sequence → JSON
 * dead:G, letters:G         sequences given up, and why
 * owner:G          hash     the one consumer of an ordered group, and when its lease lapses
 * processes        zset     process → lease time at which it is taken for dead
 * process:ID       hash     consumer → group
 * forget           zset     group → time at which it may forget a set of patterns
 *
 * A piece of work is \`sequence:replay\`, the sequence padded so that it sorts as a number. ready:G, due:G, later:G and
 * claims:G also have the member \`~\` with the score inf, so that a key that was deleted is told from one that ran empty.
 */
const START = `
local me = table.remove(ARGV)
local p = KEYS[1]
local woken = {}
local function member(sequence, replay)
  return string.format('%016d:%d', sequence, replay)
end
local function sequenceOf(m)
  return tonumber(string.sub(m, 1, 16))
end
`

/** A script on top of what all of them share. The server refuses it before its first write when its memory is full. */
export const script = (body: string): string =>
  `#!lua\n${START}${TIME}${ROUTING}${LOG}${WORK}\n${body}`

/** A script that a server with full memory must run all the same, since it is how memory is freed. */
export const freeingScript = (body: string): string =>
  script(body).replace('#!lua', '#!lua flags=allow-oom')
