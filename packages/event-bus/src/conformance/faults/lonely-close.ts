import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import type { BackendServer } from '../store-backend.js'
import { FaultProxy } from './fault-proxy.js'
import type { WorkerProgram } from './worker-program.js'

/** What the test needs of a backend. */
export interface LonelyClosePlan extends WorkerProgram {
  /** The server, which stops answering. */
  server: BackendServer
}

/** The exit code of a process that got as far as its last line. */
const DONE = 7

/**
 * Closes a bus in a process that has nothing else to do, while its server does not answer: it must get past that line. A
 * timer that is awaited, but does not keep the process alive, would let it end there.
 */
export async function closesWithNothingElseAlive({
  server,
  workerFile,
  environment,
}: LonelyClosePlan): Promise<void> {
  const proxy = await FaultProxy.start(server.port)
  const place = { ...environment, ...server.environmentAt(proxy.port) }
  const worker = fork(workerFile, { env: { ...process.env, ...place, STORE_JOB: 'lonely' } })
  try {
    await once(worker, 'message')
    proxy.stall()
    worker.send('close')
    const [code] = await once(worker, 'exit')
    assert.equal(code, DONE, 'the process ended before its bus was closed')
  } finally {
    worker.kill('SIGKILL')
    await proxy.close()
  }
}

/** Where a client of a server waits for nothing but time to pass. */
const BACKGROUND = /heartbeat/i

/** The process: from the message on, only what the bus waits for keeps it alive. */
export async function runLonelyClose(openStore: () => EventStore): Promise<void> {
  for (const name of ['setTimeout', 'setInterval'] as const) {
    const start = globalThis[name] as typeof setTimeout
    const startOf = (...given: Parameters<typeof setTimeout>): NodeJS.Timeout => {
      const timer = start(...given)
      return BACKGROUND.test(new Error().stack!) ? timer.unref() : timer
    }
    globalThis[name] = startOf as never
  }
  const bus = await EventBus.open({ store: openStore() })
  for (const orderingKey of [undefined, 'subject']) {
    await bus.subscribe('a', () => {}, { group: `g-${orderingKey}`, orderingKey }).ready
  }
  process.send?.('ready')
  await once(process, 'message')
  process.channel?.unref()
  const { _getActiveHandles: handles } = process as unknown as {
    _getActiveHandles(): { unref?(): void }[]
  }
  for (const handle of handles.call(process)) handle.unref?.()
  await bus.close({ drainTimeoutMs: 100 })
  process.exit(DONE)
}
