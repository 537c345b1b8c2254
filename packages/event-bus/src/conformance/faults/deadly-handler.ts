import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { EventBus } from '../../event-bus.js'
import type { SubscribeOptions } from '../../options.js'
import type { EventStore } from '../../store/event-store.js'
import { collect, eventually } from '../harness/harness.js'
import type { WorkerProgram } from './worker-program.js'

const MAX_ATTEMPTS = 3
const options = {
  group: 'deadly',
  start: 'beginning',
  ackWaitMs: 1_000,
  retry: { maxAttempts: MAX_ATTEMPTS },
} satisfies SubscribeOptions

/** What the test needs of a backend. */
export interface DeadlyHandlerPlan extends WorkerProgram {
  /** Opens a store on the place that the workers use. */
  openStore(): EventStore
  /** Whether the group has an ordering key. */
  ordered: boolean
}

/**
 * Starts as many processes as an event has attempts, each of which dies in its handler: the event must be a dead letter
 * then, and no handler gets it any more.
 */
export async function endsDeadlyEvents(plan: DeadlyHandlerPlan): Promise<void> {
  const publisher = await EventBus.open({ store: plan.openStore() })
  await publisher.publish({ type: 'deadly', id: 'x', subject: 'k' })
  await publisher.close()
  const started: unknown[] = []
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const worker = fork(plan.workerFile, {
      env: {
        ...process.env,
        ...plan.environment,
        STORE_JOB: 'deadly',
        DEADLY_ORDERED: plan.ordered ? '1' : '',
      },
    })
    worker.on('message', (attempt) => started.push(attempt))
    const [, signal] = await once(worker, 'exit')
    assert.equal(signal, 'SIGKILL', 'the worker did not die in its handler')
  }
  assert.deepEqual(
    started,
    Array.from({ length: MAX_ATTEMPTS }, (_, n) => n + 1),
  )
  const bus = await EventBus.open({ store: plan.openStore() })
  try {
    const { inbox } = await collect(bus, 'deadly', withOrder(plan.ordered))
    await eventually('the end', async () => (await bus.deadLetters.list()).total === 1)
    const [letter] = (await bus.deadLetters.list()).deadLetters
    assert.equal(letter?.event.id, 'x')
    assert.equal(letter.attempts, MAX_ATTEMPTS)
    assert.equal(letter.error.code, 'ATTEMPTS_EXHAUSTED')
    await bus.publish({ type: 'deadly', id: 'next', subject: 'k' })
    await inbox.waitFor(1)
    assert.deepEqual(inbox.ids, ['next'])
  } finally {
    await bus.close({ drainTimeoutMs: 1_000 })
  }
}

/** The process that dies: tells which attempt its handler is. */
export async function runDeadlyHandler(openStore: () => EventStore): Promise<void> {
  const bus = await EventBus.open({ store: openStore() })
  bus.subscribe(
    'deadly',
    async ({ attempt }) => {
      await new Promise((resolve) => process.send?.(attempt, resolve))
      process.kill(process.pid, 'SIGKILL')
    },
    withOrder(process.env.DEADLY_ORDERED === '1'),
  )
}

function withOrder(ordered: boolean): SubscribeOptions {
  return { ...options, ...(ordered && { orderingKey: 'subject' }) }
}
