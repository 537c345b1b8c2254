import type { Worker } from 'node:worker_threads'
import { RecordingLogger } from '@nexus/test-kit'
import { expect, it, vi } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const workers: Worker[] = []
let doomed = false

vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:worker_threads')>()
  class RecordedWorker extends original.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args)
      workers.push(this)
      if (doomed) void this.terminate()
    }
  }
  return { ...original, Worker: RecordedWorker }
})

/** Two ways for a thread to die that no guest has: gone at once, and an error that was not caught. */
const deaths: readonly [string, (worker: Worker) => void][] = [
  ['vanishes', (worker) => void worker.terminate()],
  ['throws', (worker) => worker.postMessage(0)],
]

function openOneThread() {
  workers.length = 0
  const logger = new RecordingLogger()
  const runtime = openRuntime({ threads: 1, logger })
  let asked: (() => void) | undefined
  const question = new Promise<void>((resolve) => {
    asked = resolve
  })
  runtime.extend('host', {
    ask: () => asked?.(),
    wait: () => {
      asked?.()
      return new Promise(() => {})
    },
  })
  return { runtime, question, logger }
}

it.each(deaths)('a thread that %s while it is idle is replaced', async (_name, die) => {
  const { runtime, logger } = openOneThread()
  const echo = handler('return event')
  await runtime.executeHandler(echo, { event: 1 })
  die(workers[0]!)
  await expect.poll(() => runtime.getStats().threadCrashes).toBe(1)
  expect((await runtime.executeHandler(echo, { event: 2 })).value).toBe(2)
  expect(runtime.getStats()).toMatchObject({ threadCrashes: 1, threadKills: 0 })
  expect(logger.messages('error')).toEqual(['a thread of calls died'])
})

it.each(deaths)(
  'a call that waits for the host on a thread that %s fails as retryable',
  async (_name, die) => {
    const { runtime, question } = openOneThread()
    const waiting = runtime.executeHandler(handler('await ctx.call("host", "wait")'), {
      event: 1,
      capabilities: ['ext:host'],
    })
    await question
    die(workers[0]!)
    expect((await waiting).error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
    expect((await runtime.executeHandler(handler('return 1'), { event: 1 })).value).toBe(1)
  },
)

it('a call whose guest code runs as its thread vanishes fails as retryable', async () => {
  const { runtime, question } = openOneThread()
  const looping = runtime.executeHandler(
    handler('await ctx.call("host", "ask"); for (;;) {}'),
    { event: 1, capabilities: ['ext:host'] },
    20_000,
  )
  await question
  workers[0]!.terminate()
  expect((await looping).error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
  expect((await runtime.executeHandler(handler('return 1'), { event: 1 })).value).toBe(1)
})

it('calls that were sent to a thread that vanishes are run again on the next', async () => {
  const { runtime } = openOneThread()
  const echo = handler('return event')
  for (let i = 0; i < 20; i++) await runtime.executeHandler(echo, { event: i })
  const calls = Array.from({ length: 100 }, (_, n) => runtime.executeHandler(echo, { event: n }))
  workers[0]!.terminate()
  const results = await Promise.all(calls)
  for (const [n, { value, error }] of results.entries()) {
    if (error) expect(error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
    else expect(value).toBe(n)
  }
  // At most the one that ran at that moment may fail.
  expect(results.filter(({ error }) => error).length).toBeLessThanOrEqual(1)
})

it('threads that die again and again do not stop the calls', async () => {
  const { runtime } = openOneThread()
  const echo = handler('return event')
  for (let n = 0; n < 6; n++) {
    expect((await runtime.executeHandler(echo, { event: n })).value).toBe(n)
    // Each was the spare of the one before.
    workers[n]!.terminate()
    await expect.poll(() => runtime.getStats().threadCrashes).toBe(n + 1)
  }
})

it('threads that cannot start do not stop the calls of one that runs, and are tried again', async () => {
  const { runtime } = openOneThread()
  const echo = handler('return event')
  await runtime.executeHandler(echo, { event: 0 })
  workers[0]!.terminate()
  expect((await runtime.executeHandler(echo, { event: 1 })).value).toBe(1)

  const [, running, spare] = workers
  doomed = true
  spare!.terminate()
  await expect.poll(() => runtime.getStats().threadCrashes).toBeGreaterThanOrEqual(4)
  expect((await runtime.executeHandler(echo, { event: 2 })).value).toBe(2)

  doomed = false
  running!.terminate()
  expect((await runtime.executeHandler(echo, { event: 3 })).value).toBe(3)
})

it('calls fail as retryable when no thread can be started at all', async () => {
  doomed = true
  const { runtime } = openOneThread()
  const { error } = await runtime.executeHandler(handler('return 1'), { event: 1 })
  doomed = false
  expect(error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: true })
  expect(error?.message).toMatch(/cannot be started/)
})
