import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus } from '../../event-bus.js'
import type { EventStore } from '../../store/event-store.js'
import { FaultLedger, type FaultReport } from './fault-ledger.js'
import { KILL_CONCURRENCY, PATTERN_SETS } from './kill-worker.js'
import { seededRandom } from './seeded-random.js'
import { hasFakeTime } from './wall-clock.js'
import { WorkerProcess, type WorkerProgram } from './worker-process.js'

/** What the kill rounds need of a backend. */
export interface KillPlan extends WorkerProgram {
  /** At least this many faults are injected. */
  faults: number
  /** Decides when things die. */
  seed: number
  /** Empty directory for the workers' notes. */
  directory: string
  /** Workers at once; 1 for a store with one writer. */
  workers: number
  /** A server that is killed and started again in some rounds. */
  server?: { kill(): Promise<void>; restart(): Promise<void> } | undefined
  /** A killed server may forget which events were acked, and deliver all of them once more. @default false */
  forgetsAcks?: boolean | undefined
  /** A worker stands still for this long in some rounds. @default never */
  freezeMs?: number | undefined
  /** Opens a store on the place that the workers use. */
  openStore(): EventStore
}

/** What the rounds did and found. */
export interface KillReport {
  /** How often workers were started and killed. */
  rounds: number
  /** Where the random choices began. */
  seed: number
  /** Injected faults by kind. */
  faults: FaultReport
  /** Events without a delay that were acked. */
  acked: number
  /** Attempts that succeeded, in the two groups that handle them. */
  handled: number
  /** Events that were handled more than once, in the same two groups. */
  duplicates: number
  /** The most duplicates that the faults can explain. */
  duplicateBound: number
  /** Events that handlers emitted. */
  emitted: number
  /** Events with a delay that were acked. */
  delayed: number
}

const LONGEST_ROUND_MS = 300
/** Groups whose handlings are counted, see `runKillWorker`. */
const COUNTED_GROUPS = 2
/** Claims of one consumer that a fault can repeat: what runs and what is being settled. */
const REPEATED_BY_KILL = 2 * KILL_CONCURRENCY
/** Claims that lapse while a server or a worker stands still: also those that wait for their turn. */
const REPEATED_BY_LAPSE = 5 * KILL_CONCURRENCY + 100

/**
 * Kills workers with -9 at random moments, lets one finish the rest, and checks the promises: every acked event was
 * handled by every group, in order per key, and no delayed one before its time; duplicates stay within what the faults
 * explain; what a handler emits is there once. In between wall clocks step, patterns of groups change, and servers die.
 *
 * @throws AssertionError naming the seed when a promise was broken
 */
export async function killRounds(plan: KillPlan): Promise<KillReport> {
  const random = seededRandom(plan.seed)
  const ledger = new FaultLedger()
  const patterns: number[] = []
  let explained = 0
  let rounds = 0
  for (; ledger.total < plan.faults; rounds++) {
    const workers = Array.from({ length: plan.workers }, (_, index) => {
      const patternSet = Math.floor(random() * PATTERN_SETS.length)
      if (patterns[index] !== undefined && patterns[index] !== patternSet) ledger.add('patterns')
      patterns[index] = patternSet
      explained += COUNTED_GROUPS * PATTERN_SETS[patternSet]!.length * REPEATED_BY_KILL
      return WorkerProcess.start(plan, { mode: 'load', round: rounds, index, patternSet })
    })
    await Promise.all(workers.map((worker) => worker.ready()))
    await pause(random() * LONGEST_ROUND_MS)
    for (const worker of workers) {
      if (hasFakeTime() && random() < 0.5) {
        worker.stepClock(random)
        ledger.add('clock')
        await pause(random() * 50)
      }
    }
    if (plan.server !== undefined && (rounds === 1 || random() < 0.5)) {
      await plan.server.kill()
      ledger.add('server')
      if (plan.forgetsAcks === true) explained += handlings(plan)
      await plan.server.restart()
      explained += plan.workers * REPEATED_BY_LAPSE
    }
    if (plan.freezeMs !== undefined && (rounds === 0 || random() < 0.1)) {
      await workers[0]!.freeze(plan.freezeMs)
      ledger.add('freeze')
      explained += REPEATED_BY_LAPSE
      await pause(LONGEST_ROUND_MS)
    }
    await Promise.all(workers.map((worker) => worker.kill()))
    for (const _ of workers) ledger.add('kill')
  }
  await WorkerProcess.start(plan, {
    mode: 'drain',
    round: rounds,
    index: 0,
    patternSet: 0,
  }).finished()
  return inspect(plan, rounds, ledger, explained)
}

async function inspect(
  plan: KillPlan,
  rounds: number,
  ledger: FaultLedger,
  duplicateBound: number,
): Promise<KillReport> {
  const about = `seed ${plan.seed}, ${rounds} rounds`
  const acked = lines(plan, 'acked')
  const ordered = lines(plan, 'ordered')
  const emitter = lines(plan, 'emitter')
  const delayed = lines(plan, 'acked-later')
  const later = lines(plan, 'later').map((line) => line.split(' ') as [id: string, early: string])
  const sink = lines(plan, 'sink').map((line) => line.split(' ') as [of: string, id: string])
  const emittedOf = new Map(sink)
  for (const [name, published, handled] of [
    ['ordered', acked, new Set(ordered)],
    ['emitter', acked, new Set(emitter)],
    ['sink', acked, new Set(emittedOf.keys())],
    ['later', delayed, new Set(later.map(([id]) => id))],
  ] as const) {
    const lost = published.filter((id) => !handled.has(id))
    assert.deepEqual(lost, [], `${about}: acked events that group ${name} never handled`)
  }
  assertKeyOrder(ordered, about)
  // A clock that was set forward makes an event due; where none was, none may come early.
  if (ledger.count('clock') === 0) {
    const early = later.filter(([, earlyMs]) => Number(earlyMs) > 1)
    assert.deepEqual(early, [], `${about}: events that came before their time`)
  }
  for (const [of, id] of sink) {
    assert.equal(id, emittedOf.get(of), `${about}: ${of} emitted under two ids`)
  }
  const bus = await EventBus.open({ store: plan.openStore() })
  const { total } = await bus.list({ type: 'kill.out', limit: 1 })
  const deadLetters = (await bus.deadLetters.list({ limit: 1 })).total
  await bus.close()
  assert.equal(total, emittedOf.size, `${about}: events emitted more often than once`)
  assert.equal(deadLetters, 0, `${about}: events that ended as dead letters`)
  const duplicates =
    ordered.length - new Set(ordered).size + (emitter.length - new Set(emitter).size)
  assert.ok(
    duplicates <= duplicateBound,
    `${about}: ${duplicates} duplicates, the faults explain at most ${duplicateBound}`,
  )
  return {
    rounds,
    seed: plan.seed,
    faults: ledger.report(),
    acked: acked.length,
    handled: ordered.length + emitter.length,
    duplicates,
    duplicateBound,
    emitted: emittedOf.size,
    delayed: delayed.length,
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
