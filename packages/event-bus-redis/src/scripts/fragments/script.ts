import { CLOCK } from './clock.js'
import { LOG } from './log.js'
import { ROUTING } from './routing.js'
import { WORK } from './work.js'

/**
 * What has to happen at once in Redis. KEYS[1] is the start of every key of the bus. The last argument is the id of the
 * process that asks.
 *
 * events           stream   N-0 → t type, s source, p time of storing, d time of delivery, i id
 * bodies           hash     sequence → JSON of the event; apart from the stream, whose entries cannot be changed or wiped
 * erased           hash     sequence → JSON { atMs, reason } of an event whose data was erased
 * meta             hash     head (newest sequence), published (its time), bytes, instance, revision, scanned, leftBytes,
 *                           offset and silent (of the clock), erasures, audit, repair, and keys found lost in passing
 * ids              hash     event id → sequence of the first event with this id, and + where other sources use the id too
 * same:ID          hash     source → sequence of further events with this id
 * indexes          set      names of all indexes: type:T and source:S, zsets of sequences
 * groups           hash     name → JSON of the group, see routing.ts; groups-backup is a copy
 * routes           hash     event type → JSON list of groups; a cache
 * filling          hash     group → part of the log in which work for it is still looked for: from, to, how
 * members:G        hash     consumer → id of its patterns, and its process
 * ready:G          zset     work by sequence
 * due:G            zset     work by the server's time at which a publisher wants it delivered
 * later:G          zset     work by the bus's time at which its delay is over
 * claims:G         zset     work by the lease time at which its claim lapses
 * parked:G:ID      zset     work as in ready:G that waits for processes with the patterns of this id
 * parked-sets:G    hash     ids of these zsets
 * work:G           hash     attempts of claimed or waiting work; of claimed work, then the claim's token
 * deliveries:G     hash     sequence → JSON of what the group did with the event
 * dead:G           zset     sequences of dead letters; deliveries:G says why
 * states:G         hash     key → JSON of what the group keeps
 * state-keys:G     zset     the keys of states:G, in their order
 * owner:G          hash     the one consumer of an ordered group, and when its lease lapses
 * processes        zset     process → lease time at which it is taken for dead
 * process:ID       hash     consumer → id of its patterns, and its group
 * forget           zset     group → time at which it may forget a set of patterns
 * clock            hash     see clock.ts
 * shared           hash     key → revision and JSON of a value that processes share; meta:shares says that it was written
 *
 * A piece of work is \`sequence:replay\`, the sequence padded so that it sorts as a number.
 *
 * Any key may be deleted. Keys that may run empty have a mark, so that a deleted one is told from an empty one: the member
 * \`~\` with the score inf in zsets, a field in hashes. \`attend.ts\` looks for what is missing, \`repair.ts\` and FILL_GROUP
 * work out from the rest what it held.
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
  `#!lua\n${START}${CLOCK}${ROUTING}${LOG}${WORK}\n${body}`

/** A script that a server with full memory must run all the same, since it is how memory is freed. */
export const freeingScript = (body: string): string =>
  script(body).replace('#!lua', '#!lua flags=allow-oom')
