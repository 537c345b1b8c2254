import assert from 'node:assert/strict'
import type { EventBus } from '../../event-bus.js'
import type { SubscribeOptions } from '../../options.js'
import { collect, eventually } from '../harness/harness.js'
import { type ServerCase, withServer } from './server-case.js'

const KINDS: readonly [kind: string, options: Partial<SubscribeOptions>][] = [
  ['without order', {}],
  ['in order', { orderingKey: 'subject' }],
]

/** A server that lost all it had, while the buses on it go on. */
export const emptiedServerCases: readonly ServerCase[] = KINDS.flatMap(([kind, options]) => [
  withServer(`an emptied server is noticed, said and repaired, ${kind}`, async (open, server) => {
    const bus = await open()
    const { inbox } = await collect(bus, 'a', { group: 'g', ...options })
    await publish(bus, ['0', '1', '2'])
    await inbox.waitFor(3)
    const said = losses(bus)
    await server.empty()
    await eventually('the loss to be said', async () => said.emptied > 0 && said.errors > 0)
    await publish(bus, ['3'])
    await inbox.waitFor(4)
    const { store } = await bus.getStats()
    assert.equal(store.connected, true)
    assert.deepEqual(
      store.groups.map(({ group }) => group),
      ['g'],
    )
    await bus.replay({ id: '3' })
    await inbox.waitFor(5)
    assert.deepEqual(inbox.ids, ['0', '1', '2', '3', '3'])
  }),

  withServer(
    `what another process publishes on an emptied server is handled, with what was lost under its sequences, ${kind}`,
    async (open, server) => {
      const bus = await open()
      let finish = (): void => {}
      const finished = new Promise<void>((resolve) => {
        finish = resolve
      })
      const { inbox } = await collect(
        bus,
        'a',
        { group: 'g', ackWaitMs: 2_000, ...options },
        ({ event }) => (event.id.startsWith('lost') ? finished : undefined),
      )
      await publish(bus, ['lost-0', 'lost-1'], { subjectOf: (id) => id })
      await inbox.waitFor(2)
      await server.empty()
      const other = await open()
      await publish(other, ['new-0', 'new-1', 'new-2'], { subjectOf: (id) => id })
      finish()
      await eventually('all of them to be settled', async () => {
        const found = await Promise.all(['new-0', 'new-1', 'new-2'].map((id) => bus.get(id)))
        return found.every((event) => event?.deliveries[0]?.status === 'succeeded')
      })
      const handled = inbox.ids.slice(2)
      assert.deepEqual([...new Set(handled)], ['new-0', 'new-1', 'new-2'])
    },
  ),

  withServer(
    `what only a newer process asks for reaches it on an emptied server, ${kind}`,
    async (open, server) => {
      const [older, newer] = [await open(), await open()]
      const group = { group: 'g', ackWaitMs: 2_000, ...options }
      await collect(older, 'a', group)
      const { inbox } = await collect(newer, ['a', 'b'], group)
      const said = [losses(older), losses(newer)]
      await server.empty()
      await eventually('both to say so', async () => said.every(({ emptied }) => emptied > 0))
      await publish(older, ['b'], { type: 'b' })
      await eventually('the event to be handled', async () => inbox.ids.includes('b'))
    },
  ),
])

/** The server may be away for a moment. */
async function publish(
  bus: EventBus,
  ids: readonly string[],
  { type = 'a', subjectOf = () => 'k' }: { type?: string; subjectOf?: (id: string) => string } = {},
): Promise<void> {
  for (const id of ids) {
    await eventually(`${id} to be published`, () =>
      bus.publish({ type, id, subject: subjectOf(id) }).then(
        () => true,
        () => false,
      ),
    )
  }
}

function losses(bus: EventBus): { emptied: number; errors: number } {
  const said = { emptied: 0, errors: 0 }
  bus.on('emptied', () => {
    said.emptied += 1
  })
  bus.on('error', (error) => {
    if ((error as { code?: string }).code === 'STORE_EMPTIED') said.errors += 1
  })
  return said
}
