import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import { FaultProxy } from '../faults/fault-proxy.js'
import { seededRandom } from '../faults/seeded-random.js'
import { type EventLedger, readLedger, untilEmptiedIsSaid } from './event-ledger.js'
import { type FaultWorkerEnvironment, sharedNowMs } from './fault-worker.js'

/** What the fault rounds need of a backend. */
export interface ServerFaultPlan {
  /** How many faults to inject. */
  faults: number
  /** Decides which ones, and when. */
  seed: number
  /** The server of the backend. */
  server: { port: number; kill(): Promise<void>; restart(): Promise<void> }
  /** Removes all that the server holds, while it runs. */
  emptyServer(): Promise<void>
  /** Empty directory for the workers' notes. */
  directory: string
  /** A JavaScript file that calls `runFaultWorker` with a store on the port `FAULT_PORT` of this machine. */
  workerFile: string
  /** A store on this port of this machine. */
  openStore(port: number): EventStore
  /** Path of libfaketime, by which the clock of a worker is stepped; without it no clock is. */
  faketime?: string | undefined
  /** Hears now and then how far it is. */
  onProgress?(done: number): void
}

/** What was injected, and what became of the events. */
export interface ServerFaultReport extends EventLedger {
  /** The plan's seed: the same one injects the same faults. */
  seed: number
  /** How many faults of each kind. */
  injected: Record<string, number>
}

/** What an older and a newer version of a program ask for. */
const OLDER = ['fault.a']
const NEWER = ['fault.a', 'fault.b']
/** Processes at once. */
const FIRST_WORKERS = [OLDER, NEWER, NEWER]
/** So many processes ask for all: one still does while another is killed. What no process asks for may leave its group. */
const LEAST_NEWER = 2
const DEADLINE_MS = 180_000
/** Bytes of notes about acked publishes between two faults, unless the bus still recovers. */
const ACKED_BETWEEN_BYTES = 150
const LONGEST_PAUSE_MS = 4_000
/** An emptied server is noticed within seconds. */
const LONGEST_SILENCE_MS = 20_000

interface Worker {
  process: ChildProcess
  patterns: readonly string[]
  /** When it was ready: then it knew what the server held. */
  readyAtMs: number
  proxy: FaultProxy
  clockFile: string
}

/**
 * Injects faults into processes, their clocks, the network between, and the server, while events of all kinds are
 * published and handled; then lets one process handle the rest, and adds up.
 *
 * @throws AssertionError naming the seed when a promise was broken
 */
export async function serverFaultRounds(plan: ServerFaultPlan): Promise<ServerFaultReport> {
  const random = seededRandom(plan.seed)
  const injected: Record<string, number> = {}
  const emptiedAtMs: number[] = []
  let started = 0
  const start = async (patterns: readonly string[]): Promise<Worker> => {
    const worker = await startWorker(plan, `w${started++}`, patterns, 'load')
    await ready(worker.process)
    return { ...worker, readyAtMs: sharedNowMs() }
  }
  const workers = await Promise.all(FIRST_WORKERS.map(start))
  // What is published before a process asks for it need not reach its groups.
  for (const { process } of workers) process.send('publish')
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  const faults: Record<string, { weight: number; inject(i: number): Promise<void> }> = {
    'worker killed': {
      weight: 5,
      inject: async (i) => {
        await end(workers[i]!)
        const isNewer = (worker: Worker, other: number) => other !== i && worker.patterns === NEWER
        const maybeOlder = workers.filter(isNewer).length >= LEAST_NEWER
        workers[i] = await start(random() < 0.5 && maybeOlder ? OLDER : NEWER)
        workers[i]!.process.send('publish')
      },
    },
    'worker frozen': {
      weight: 3,
      inject: async (i) => {
        workers[i]!.process.kill('SIGSTOP')
        await pause(300 + random() * 2_700)
        workers[i]!.process.kill('SIGCONT')
      },
    },
    'connections dropped': { weight: 5, inject: async (i) => workers[i]!.proxy.drop() },
    'connections reset': {
      weight: 5,
      inject: async (i) => {
        workers[i]!.proxy.reset()
        await pause(random() * 500)
        workers[i]!.proxy.flow()
      },
    },
    'connections stalled': {
      weight: 4,
      inject: async (i) => {
        workers[i]!.proxy.stall()
        await pause(random() * 1_500)
        workers[i]!.proxy.flow()
      },
    },
    'clock stepped': {
      weight: plan.faketime === undefined ? 0 : 5,
      inject: async (i) => {
        const hours = [-24, -1, 0, 1, 24][Math.floor(random() * 5)]!
        writeFileSync(workers[i]!.clockFile, `${hours < 0 ? '-' : '+'}${Math.abs(hours)}h`)
      },
    },
    'server killed': {
      weight: 3,
      inject: async () => {
        await plan.server.kill()
        await pause(random() * 300)
        await plan.server.restart()
      },
    },
    'server emptied': {
      weight: 1,
      inject: async () => {
        // Before: a process may notice at once.
        emptiedAtMs.push(sharedNowMs())
        await plan.emptyServer()
      },
    },
  }
  const choice = Object.entries(faults).flatMap(([name, fault]) =>
    Array.from({ length: fault.weight }, () => ({ name, ...fault })),
  )
  for (let n = 0; n < plan.faults; n++) {
    const acked = ackedSoFar(plan)
    const { name, inject } = choice[Math.floor(random() * choice.length)]!
    injected[name] = (injected[name] ?? 0) + 1
    await inject(Math.floor(random() * workers.length))
    const deadline = performance.now() + LONGEST_PAUSE_MS
    while (ackedSoFar(plan) < acked + ACKED_BETWEEN_BYTES && performance.now() < deadline)
      await pause(25)
    if ((n + 1) % 50 === 0) plan.onProgress?.(n + 1)
  }
  const lastEmptiedMs = emptiedAtMs.at(-1)
  // A process that came after that does not know that there was anything before.
  if (lastEmptiedMs !== undefined && workers.some((w) => w.readyAtMs < lastEmptiedMs)) {
    await untilEmptiedIsSaid(plan.directory, lastEmptiedMs, LONGEST_SILENCE_MS)
  }
  await Promise.all(workers.map(end))
  const last = await startWorker(plan, 'drain', NEWER, 'drain')
  await finished(last.process)
  await last.proxy.close()
  const bus = await EventBus.open({ store: plan.openStore(plan.server.port) })
  try {
    const about = `seed ${plan.seed}, ${plan.faults} faults`
    const ledger = await readLedger(plan.directory, bus, emptiedAtMs, about)
    return { seed: plan.seed, injected, ...ledger }
  } finally {
    await bus.close()
  }
}

/** Size of the notes about acked publishes. */
function ackedSoFar({ directory }: ServerFaultPlan): number {
  const path = join(directory, 'acked')
  return existsSync(path) ? statSync(path).size : 0
}

async function startWorker(
  plan: ServerFaultPlan,
  name: string,
  patterns: readonly string[],
  mode: 'load' | 'drain',
): Promise<Omit<Worker, 'readyAtMs'>> {
  const proxy = await FaultProxy.start(plan.server.port)
  const clockFile = join(plan.directory, `clock-${name}`)
  writeFileSync(clockFile, '+0h')
  const environment: FaultWorkerEnvironment = {
    FAULT_DIRECTORY: plan.directory,
    FAULT_NAME: name,
    FAULT_PATTERNS: patterns.join(' '),
    FAULT_MODE: mode,
  }
  const stepping = plan.faketime !== undefined && {
    LD_PRELOAD: plan.faketime,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  const env = { ...process.env, ...environment, ...stepping, FAULT_PORT: String(proxy.port) }
  return { process: fork(plan.workerFile, { env }), patterns, proxy, clockFile }
}

async function end({ process: worker, proxy }: Worker): Promise<void> {
  await new Promise((resolve) => {
    worker.once('exit', resolve)
    worker.kill('SIGKILL')
  })
  await proxy.close()
}

function ready(worker: ChildProcess): Promise<void> {
  return settled(worker, (resolve) => worker.once('message', () => resolve()))
}

async function finished(worker: ChildProcess): Promise<void> {
  const code = await settled<number | null>(worker, (resolve) => worker.once('exit', resolve))
  assert.equal(code, 0, 'the worker that handles the rest ended with an error')
}

function settled<T>(worker: ChildProcess, listen: (resolve: (value: T) => void) => void) {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      worker.kill('SIGKILL')
      reject(new Error(`a worker was not done after ${DEADLINE_MS} ms`))
    }, DEADLINE_MS)
    listen((value) => {
      clearTimeout(timer)
      resolve(value)
    })
    worker.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`a worker ended early, with code ${code}`))
    })
  })
}
