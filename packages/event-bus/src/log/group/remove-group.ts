import type { LogAccess } from '../log-access.js'
import { LAST_STRING } from '../query/value-index.js'

/** Events looked at by one commit; a long history is forgotten piece by piece. */
const CHUNK = 2_000

/** Forgets a group that has no open consumer; false when there is none. */
export async function removeGroup(
  { engine, queue, head }: LogAccess,
  name: string,
): Promise<boolean> {
  const entry = engine.get('groups', name)
  if (entry === undefined) return false
  // The group goes last: a process that dies meanwhile leaves one that can be removed again.
  for (let from = entry.startAfter + 1; from <= head.last; from += CHUNK) {
    await queue.run((transaction) => {
      const end = Math.min(from + CHUNK, head.last + 1)
      for (let sequence = from; sequence < end; sequence++) {
        const key: [number, string] = [sequence, name]
        if (engine.get('deliveries', key) !== undefined) transaction.remove('deliveries', key)
      }
    })
  }
  await queue.run((transaction) => {
    for (const { key } of engine.range('due', {
      start: [name, 0, 0],
      end: [name, Number.MAX_SAFE_INTEGER, 0],
    })) {
      transaction.remove('due', key)
    }
    for (const { key } of engine.range('dead', {
      start: [name, 0],
      end: [name, Number.MAX_SAFE_INTEGER],
    })) {
      transaction.remove('dead', key)
    }
    for (const { key } of engine.range('states', {
      start: [name, ''],
      end: [name, LAST_STRING],
    })) {
      transaction.remove('states', key)
    }
    transaction.remove('groups', name)
  })
  return true
}
