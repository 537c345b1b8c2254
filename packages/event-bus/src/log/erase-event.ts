import type { CloudEvent } from '../event/cloud-event.js'
import type { EraseQuery } from '../store/event-store.js'
import { sequenceOf } from './event-lookup.js'
import type { LogAccess } from './log-access.js'
import type { DeliveryEntry } from './log-engine.js'
import { LAST_STRING } from './postings.js'

/** Leaves the envelope of an event, and of its deliveries what says nothing of its data. */
export async function eraseEvent(
  { engine, queue }: LogAccess,
  query: EraseQuery,
): Promise<boolean> {
  const sequence = sequenceOf(engine, query)
  if (sequence === undefined) return false
  return queue.run((draft) => {
    const record = engine.get('events', sequence)
    if (record === undefined) return false
    const at = new Date(draft.now).toISOString()
    const { data: _, data_base64: __, ...envelope } = JSON.parse(record.json) as CloudEvent
    const json = JSON.stringify(envelope)
    draft.head.bytes += Buffer.byteLength(json) - Buffer.byteLength(record.json)
    const erased = query.reason === undefined ? { at } : { at, reason: query.reason }
    draft.put('events', sequence, { ...record, json, erased })
    for (const { key, value } of engine.range('deliveries', {
      start: [sequence, ''],
      end: [sequence, LAST_STRING],
    })) {
      draft.put('deliveries', key, withoutContent(value))
      const dead = engine.get('dead', [key[1], sequence])
      if (dead === undefined) continue
      draft.put('dead', [key[1], sequence], { ...withoutContent(dead), error: ERASED })
    }
    return true
  })
}

const ERASED = { message: 'erased' }

function withoutContent<T extends Pick<DeliveryEntry, 'record' | 'error'>>(entry: T): T {
  const { record: _, error, ...rest } = entry
  return (error === undefined ? rest : { ...rest, error: ERASED }) as T
}
