import type { CloudEvent } from '../../event/cloud-event.js'
import { withoutContent } from '../../store/backend/delivery-state.js'
import { envelopeOf } from '../../store/backend/event-identity.js'
import type { EraseQuery } from '../../store/queries.js'
import type { LogAccess } from '../log-access.js'
import { sequenceOf } from '../query/event-lookup.js'
import { LAST_STRING } from '../query/value-index.js'

/** Leaves the envelope of an event, and of its deliveries what says nothing of its data. */
export async function eraseEvent(
  { engine, queue }: LogAccess,
  query: EraseQuery,
): Promise<boolean> {
  const sequence = sequenceOf(engine, query)
  if (sequence === undefined) return false
  return queue.run((transaction) => {
    const record = engine.get('events', sequence)
    if (record === undefined) return false
    const at = new Date(transaction.now).toISOString()
    const json = JSON.stringify(envelopeOf(JSON.parse(record.json) as CloudEvent))
    transaction.head.bytes += Buffer.byteLength(json) - Buffer.byteLength(record.json)
    const erased = query.reason === undefined ? { at } : { at, reason: query.reason }
    transaction.put('events', sequence, { ...record, json, erased })
    for (const { key, value } of engine.range('deliveries', {
      start: [sequence, ''],
      end: [sequence, LAST_STRING],
    })) {
      transaction.put('deliveries', key, withoutContent(value))
      const dead = engine.get('dead', [key[1], sequence])
      if (dead === undefined) continue
      transaction.put('dead', [key[1], sequence], withoutContent(dead))
    }
    return true
  })
}
