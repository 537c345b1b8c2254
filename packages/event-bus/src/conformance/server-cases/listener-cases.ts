import assert from 'node:assert/strict'
import { FaultProxy } from '../faults/fault-proxy.js'
import { collect, eventually } from '../harness/harness.js'
import { type ServerCase, withServer } from './server-case.js'

/** More than Node takes for a leak. */
const MANY = 50
const PATIENCE_MS = 60_000

/** Long enough for several attempts at each settlement. */
const RETRYING_MS = 3_000

/** Listeners are not added without an end: Node would warn of a leak. */
export const listenerCases: readonly ServerCase[] = [
  withoutWarnings(
    withServer(`a bus adds no listener for each of ${MANY} subscriptions`, async (open) => {
      const bus = await open()
      const groups = await Promise.all(
        Array.from({ length: MANY }, (_, n) => collect(bus, 'a', { group: `g${n}` })),
      )
      await bus.publish({ type: 'a' })
      for (const { inbox } of groups) await inbox.waitFor(1)
    }),
  ),

  withoutWarnings(
    withServer(
      `a bus adds no listener for each of ${MANY} settlements that fail until the server is there again`,
      async (open, server) => {
        const bus = await open()
        let finish = (): void => {}
        const finished = new Promise<void>((resolve) => {
          finish = resolve
        })
        const options = { group: 'g', concurrency: MANY, ackWaitMs: 60_000 }
        const { inbox, subscription } = await collect(bus, 'a', options, () => finished)
        await bus.publishBatch(Array.from({ length: MANY }, () => ({ type: 'a' })))
        await inbox.waitFor(MANY)
        const disconnected = new Promise<void>((resolve) =>
          bus.once('disconnected', () => resolve()),
        )
        await server.kill()
        await disconnected
        finish()
        // No event tells of one attempt to settle. Too short a time would make this case see less, and never fail.
        await new Promise((resolve) => setTimeout(resolve, RETRYING_MS))
        await server.restart()
        const settled = async () => subscription.getStats().succeeded === MANY
        await eventually('all to be settled', settled, PATIENCE_MS)
      },
    ),
  ),

  withoutWarnings(
    withServer(
      'a bus adds no listener for each of 100 connections that were lost',
      async (open, server) => {
        const proxy = await FaultProxy.start(server.port)
        try {
          const bus = await open(proxy.port)
          const { inbox } = await collect(bus, 'a', { group: 'g' })
          await collect(bus, 'a', { group: 'ordered', orderingKey: 'subject' })
          for (let n = 1; n <= 100; n++) {
            const connected = new Promise<void>((resolve) => bus.once('connected', resolve))
            if (n % 2 === 0) proxy.drop()
            else proxy.reset()
            proxy.flow()
            await connected
          }
          await bus.publish({ type: 'a', id: 'after' })
          await eventually('the event', async () => inbox.ids.includes('after'), PATIENCE_MS)
          await bus.close({ drainTimeoutMs: 100 })
        } finally {
          await proxy.close()
        }
      },
    ),
  ),
]

/** The case, and that Node warns of nothing meanwhile. */
function withoutWarnings({ name, run }: ServerCase): ServerCase {
  return {
    name,
    alone: true,
    run: async (server) => {
      const warnings: string[] = []
      const note = (warning: Error): void =>
        void warnings.push(`${warning.name}: ${warning.message}`)
      process.on('warning', note)
      try {
        await run(server)
      } finally {
        process.off('warning', note)
      }
      assert.deepEqual(warnings, [])
    },
  }
}
