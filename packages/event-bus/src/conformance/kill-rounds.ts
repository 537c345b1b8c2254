import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus } from '../event-bus.js'
import type { EventStore } from '../store/event-store.js'
import { KILL_CONCURRENCY, type KillWorkerEnvironment } from './kill-worker.js'

/** What the kill test needs of a backend. */
export interface KillPlan {
  rounds: number
  /** Decides when things die. */
  seed: number
  /** Empty directory for the workers' notes. */
  directory: string
  /** A JavaScript file that calls `runKillWorker`. */
  workerFile: string
  environment?: Record<string, string>
  /** Workers at once; 1 for a store with one writer. */
  workers: number
  /**
   * Does harm of its own in some rounds, such as killing and restarting a server; answers how many
   * duplicates that explains. `handled` counts what was handled since the test began.
   */
  disturb?(
    random: () => number,
    workers: readonly ChildProcess[],
    handled: () => number,
  ): Promise<number>
  openStore(): EventStore
}

/** What the rounds did and found. */
export interface KillReport {
  rounds: number
  seed: number
  acked: number
  handled: number
  duplicates: number
  /** The most duplicates that the kills can explain. */
  duplicateBound: number
  emitted: number
}

const LONGEST_ROUND_MS = 300
const DEADLINE_MS = 120_000

/**
 * Kills workers with -9 at random moments, lets one finish the rest, and checks the promises: every acked
 * event was handled by every group, in order per key; duplicates stay within what the kills explain; what
 * a handler emits is there once.
 *
 * @throws AssertionError naming the seed when a promise was broken
 */
export async function killRounds(plan: KillPlan): Promise<KillReport> {
  const random = mulberry32(plan.seed)
  // In each of two groups, handlers that ran and settlements that were on their way.
  let explained = 2 * plan.rounds * plan.workers * 2 * KILL_CONCURRENCY
  for (let round = 0; round < plan.rounds; round++) {
    const workers = Array.from({ length: plan.workers }, (_, i) => start(plan, 'load', round, i))
    await Promise.all(workers.map(ready))
    await new Promise((resolve) => setTimeout(resolve, random() * LONGEST_ROUND_MS))
    explained += (await plan.disturb?.(random, workers, () => handlings(plan))) ?? 0
    await Promise.all(workers.map(kill))
  }
  await finished(start(plan, 'drain', plan.rounds, 0))
  return inspect(plan, explained)
}

async function inspect(plan: KillPlan, duplicateBound: number): Promise<KillReport> {
  const about = `seed ${plan.seed}, ${plan.rounds} rounds`
  const acked = lines(plan, 'acked')
  const ordered = lines(plan, 'ordered')
  const emitter = lines(plan, 'emitter')
  const sink = lines(plan, 'sink').map((line) => line.split(' ') as [of: string, id: string])
  const emittedOf = new Map(sink)
  for (const [name, handled] of [
    ['ordered', new Set(ordered)],
    ['emitter', new Set(emitter)],
    ['sink', new Set(emittedOf.keys())],
  ] as const) {
    const lost = acked.filter((id) => !handled.has(id))
    assert.deepEqual(lost, [], `${about}: acked events that group ${name} never handled`)
  }
  assertKeyOrder(ordered, about)
  for (const [of, id] of sink) {
    assert.equal(id, emittedOf.get(of), `${about}: ${of} emitted under two ids`)
  }
  const bus = await EventBus.open({ store: plan.openStore() })
  const { total } = await bus.list({ type: 'kill.out', limit: 1 })
  await bus.close()
  assert.equal(total, emittedOf.size, `${about}: events emitted more often than once`)
  const duplicates =
    ordered.length - new Set(ordered).size + (emitter.length - new Set(emitter).size)
  assert.ok(
    duplicates <= duplicateBound,
    `${about}: ${duplicates} duplicates, the kills explain at most ${duplicateBound}`,
  )
  return {
    rounds: plan.rounds,
    seed: plan.seed,
    acked: acked.length,
    handled: ordered.length + emitter.length,
    duplicates,
    duplicateBound,
    emitted: emittedOf.size,
  }
}

/** The first handling of each event of a key comes in publish order. */
function assertKeyOrder(handled: readonly string[], about: string): void {
  const last = new Map<string, [round: number, n: number]>()
  for (const id of new Set(handled)) {
    const [key, round, n] = id.split('-') as [string, string, string]
    const before = last.get(key)
    const now: [number, number] = [Number(round), Number(n)]
    const inOrder =
      before === undefined || now[0] > before[0] || (now[0] === before[0] && now[1] > before[1])
    assert.ok(inOrder, `${about}: ${id} was handled after ${key}-${before?.join('-')}`)
    last.set(key, now)
  }
}

function handlings(plan: KillPlan): number {
  return lines(plan, 'ordered').length + lines(plan, 'emitter').length
}

function lines(plan: KillPlan, file: string): string[] {
  const path = join(plan.directory, file)
  // The last line may have been cut by a kill: then its event was not noted.
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

function start(plan: KillPlan, mode: 'load' | 'drain', round: number, worker: number) {
  const environment: KillWorkerEnvironment = {
    KILL_DIRECTORY: plan.directory,
    KILL_ROUND: String(round),
    KILL_WORKER: String(worker),
    KILL_MODE: mode,
  }
  return fork(plan.workerFile, { env: { ...process.env, ...plan.environment, ...environment } })
}

async function ready(worker: ChildProcess): Promise<void> {
  await settled(worker, (resolve) => worker.once('message', resolve))
}

async function kill(worker: ChildProcess): Promise<void> {
  await new Promise((resolve) => {
    worker.once('exit', resolve)
    worker.kill('SIGKILL')
  })
}

async function finished(worker: ChildProcess): Promise<void> {
  const code = await settled<number | null>(worker, (resolve) => worker.once('exit', resolve))
  assert.equal(code, 0, 'the worker that handles the rest ended with an error')
}

async function settled<T>(
  worker: ChildProcess,
  listen: (resolve: (value: T) => void) => void,
): Promise<T> {
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

/** A small seeded generator, so that a failure can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
