import type { Redelivery } from '../streams/redelivery.js'
import { type DeliveryState, isFinal, type State } from '../streams/state.js'

/** Records read at once. */
const WINDOW = 100

/** Writes the messages of the redelivery stream again, after it was lost: by the records of what waits for them. */
export async function redeliverRecorded(state: State, redelivery: Redelivery): Promise<void> {
  const { names } = state
  for (const { name } of await state.groups()) {
    const subjects = await state.subjects(names.delivery(name, '*'))
    for (let at = 0; at < subjects.length; at += WINDOW) {
      await Promise.all(
        subjects.slice(at, at + WINDOW).map(async (subject) => {
          const record = await state.read<DeliveryState>(subject)
          if (record === undefined || record.redelivery !== true || isFinal(record)) return
          const sequence = Number(names.lastToken(subject))
          const { eventAtMs, replays: replay, nextAttemptAtMs: dueAtMs } = record
          const due = dueAtMs === undefined ? {} : { dueAtMs }
          await redelivery.deliver(name, { sequence, eventAtMs, replay, ...due })
        }),
      )
    }
  }
}
