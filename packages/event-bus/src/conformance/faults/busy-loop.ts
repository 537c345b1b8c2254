import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import { eventually } from '../harness/harness.js'
import type { WorkerProgram } from './worker-program.js'

/** What the busy-loop test needs of a backend. */
export interface BusyLoopPlan extends WorkerProgram {
  /** Opens a store on the place that the worker uses. */
  openStore(): EventStore
  /** Whether the group has an ordering key. */
  ordered: boolean
}

const ACK_WAIT_MS = 3_000
const DEADLINE_MS = 60_000

const options = (ordered: boolean) => ({
  group: 'busy',
  ackWaitMs: ACK_WAIT_MS,
  ...(ordered && { orderingKey: 'subject' }),
})

/**
 * Blocks the event loop in a handler for longer than a claim lasts, while another process waits for the
 * group's work: it must not get the event.
 */
export async function keepsClaimsOfABusyLoop(plan: BusyLoopPlan): Promise<void> {
  const bus = await EventBus.open({ store: plan.openStore() })
  const environment = {
    ...plan.environment,
    STORE_JOB: 'busy',
    BUSY_ORDERED: plan.ordered ? '1' : '',
  }
  let other: ChildProcess | undefined
  let attempts = 0
  const subscription = bus.subscribe(
    'busy',
    async () => {
      attempts += 1
      other = fork(plan.workerFile, { env: { ...process.env, ...environment } })
      await once(other, 'message')
      const until = Date.now() + 2 * ACK_WAIT_MS
      while (Date.now() < until);
    },
    options(plan.ordered),
  )
  try {
    await subscription.ready
    await bus.publish({ type: 'busy', id: 'long', subject: 'k' })
    const handled = async () => (await bus.getStats()).delivered === 1
    await eventually('the long event to be handled', handled, DEADLINE_MS)
    assert.equal(attempts, 1)
    await subscription.close()
    const received: string[] = []
    other!.on('message', (id: string) => received.push(id))
    await bus.publish({ type: 'busy', id: 'next', subject: 'k' })
    await eventually('the other to work', async () => received.includes('next'), DEADLINE_MS)
    assert.deepEqual(received, ['next'], 'the other consumer got what was being handled')
  } finally {
    other?.kill('SIGKILL')
    await bus.close({ drainTimeoutMs: 1_000 })
  }
}

/** The other process of the busy-loop test: takes what it gets of the group and tells. */
export async function runOtherConsumer(openStore: () => EventStore): Promise<void> {
  const bus = await EventBus.open({ store: openStore() })
  const subscription = bus.subscribe(
    'busy',
    ({ event }) => {
      process.send?.(event.id)
    },
    options(process.env.BUSY_ORDERED === '1'),
  )
  await subscription.ready
  process.send?.('ready')
}
