import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import { collect, eventually } from '../harness/harness.js'
import type { WorkerProgram } from './worker-program.js'

/** What the frozen-owner test needs of a backend. */
export interface FrozenOwnerPlan extends WorkerProgram {
  /** Opens a store on the place that the worker uses. */
  openStore(): EventStore
}

const DEADLINE_MS = 60_000
const options = { group: 'frozen', orderingKey: 'subject', ackWaitMs: 1_000 }
/** Of one key. The process that takes over asks for the first type only. */
const EVENTS = ['a', 'b', 'a'].map((type, n) => ({ type, id: `${n}`, subject: 'k' }))

/** What the frozen process tells. */
type Told = { ready: true } | { started: string } | { waiting: number; running: number }

/**
 * Freezes the one consumer of an ordered group while it has claims, until another process has taken over: when it
 * goes on, it must start none of what it had claimed, also where the other process has not claimed it yet.
 */
export async function letsAFrozenOwnerStartNothing(plan: FrozenOwnerPlan): Promise<void> {
  const bus = await EventBus.open({ store: plan.openStore() })
  const worker = fork(plan.workerFile, {
    env: { ...process.env, ...plan.environment, STORE_JOB: 'frozen' },
  })
  const started: string[] = []
  let owner: { waiting: number; running: number } | undefined
  worker.on('message', (message: Told) => {
    if ('started' in message) started.push(message.started)
    if ('waiting' in message) owner = message
  })
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  try {
    await once(worker, 'message')
    await bus.publishBatch(EVENTS)
    // Running includes what is about to start.
    const isFull = async () => started.length === 1 && owner?.waiting === EVENTS.length - 1
    await eventually('the process to claim all', isFull, DEADLINE_MS)
    worker.kill('SIGSTOP')
    const { inbox } = await collect(bus, 'a', options, () => finished)
    const isTaken = async () => inbox.ids.length === 1
    await eventually('another process to take over', isTaken, DEADLINE_MS)
    owner = undefined
    worker.kill('SIGCONT')
    worker.send('go on')
    const isIdle = async () => started.length > 1 || owner?.waiting === 0
    await eventually('the process to lose its claims', isIdle, DEADLINE_MS)
    assert.deepEqual([inbox.ids, started], [['0'], ['0']])
    finish()
    const isHandled = async () => inbox.ids.length + started.length === EVENTS.length + 1
    await eventually('the rest to be handled', isHandled, DEADLINE_MS)
    assert.deepEqual(
      [inbox.ids, started].map((ids) => ids[0]),
      ['0', '0'],
    )
  } finally {
    finish()
    worker.kill('SIGKILL')
    await bus.close({ drainTimeoutMs: 1_000 })
  }
}

/** The process that is frozen: its first handler ends when the test says so. */
export async function runFrozenOwner(openStore: () => EventStore): Promise<void> {
  const tell = (message: Told): void => void process.send?.(message)
  const bus = await EventBus.open({ store: openStore() })
  const goOn = once(process, 'message')
  const subscription = bus.subscribe(
    ['a', 'b'],
    async ({ event }) => {
      tell({ started: event.id })
      await goOn
    },
    options,
  )
  await subscription.ready
  tell({ ready: true })
  setInterval(() => {
    const { waiting, running } = subscription.getStats()
    tell({ waiting, running })
  }, 20)
}
