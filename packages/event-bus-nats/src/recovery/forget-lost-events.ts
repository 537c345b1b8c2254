import type { JetStreamManager } from '@nats-io/jetstream'
import { type GroupState, inStream, type State } from '../streams/state.js'

/**
 * Forgets what is stored about events of a stream that is gone. Sequences begin again with a new stream: the
 * records of old events would be taken for those of new ones, which would then not be handled.
 *
 * @param until sequence that the stream of state had before the stream of events was made
 */
export async function forgetLostEvents(
  state: State,
  manager: JetStreamManager,
  until: number,
): Promise<void> {
  const { names } = state
  const { created } = await manager.streams.info(names.events)
  const known = await state.revised<string>(names.streamCreated)
  if (known?.value === created) return
  // What is written from here on may be about new events: other processes go on as soon as one has said so.
  const { last_seq } = (await manager.streams.info(names.redelivery)).state
  // One process does it, the one that says so first.
  const first = await state.replace(names.streamCreated, created, known?.revision ?? 0)
  if (first === undefined || known === undefined) return
  for (const subject of names.subjectsOfEvents()) await state.remove(subject, until)
  await manager.streams.purge(names.redelivery, { seq: last_seq + 1 })
  for (const { name } of await state.groups()) await beginAgain(state, name, created)
}

async function beginAgain(state: State, name: string, created: string): Promise<void> {
  const subject = state.names.group(name)
  for (;;) {
    const found = await state.revised<GroupState>(subject)
    if (found === undefined) return
    const group = inStream(found.value, created)
    if (group === found.value) return
    if ((await state.replace(subject, group, found.revision)) !== undefined) return
  }
}
