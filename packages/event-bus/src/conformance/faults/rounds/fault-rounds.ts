import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EventBus } from '../../../event-bus.js'
import { seededRandom } from '../seeded-random.js'
import { type EventLedger, readLedger, untilEmptiedIsSaid } from './event-ledger.js'
import { FAULT_KINDS, type FaultKind, type FaultTarget } from './fault-kinds.js'
import type { FaultPlan } from './fault-plan.js'
import { FaultProcess } from './fault-process.js'
import { NEWER, OLDER } from './fault-worker.js'

/** What was injected, and what became of the events. */
export interface FaultReport extends EventLedger {
  /** The plan's seed: the same one injects the same faults. */
  seed: number
  /** How many faults of each kind. */
  injected: Record<string, number>
  /** The most repeated handlings that the faults can explain. */
  handledAgainBound: number
}

/** Processes at once, where several may work on one place. */
const FIRST_PROCESSES = [OLDER, NEWER[0]!, NEWER[1]!]
/** So many processes ask for all: one still does while another is killed. What no process asks for may leave its group. */
const LEAST_NEWER = 2
/** Bytes of notes about acked publishes between two faults, unless the bus still recovers. */
const ACKED_BETWEEN_BYTES = 300
const LONGEST_PAUSE_MS = 4_000
/** An emptied server is noticed within seconds. */
const LONGEST_SILENCE_MS = 20_000

/**
 * Injects faults into processes, their clocks, the network between, and the server, while events of all kinds are
 * published and handled; then lets one process handle the rest, and adds up.
 *
 * @throws AssertionError naming the seed when a promise was broken
 */
export async function faultRounds(plan: FaultPlan): Promise<FaultReport> {
  const rounds = new FaultRounds(plan)
  await rounds.start()
  const possible = FAULT_KINDS.filter((kind) => kind.isPossible(plan))
  const choice = possible.flatMap((kind) => Array.from({ length: kind.weight }, () => kind))
  for (let n = 0; n < plan.faults; n++) {
    // Each kind once, then by weight.
    await rounds.inject(possible[n] ?? choice[Math.floor(rounds.random() * choice.length)]!)
    if ((n + 1) % 50 === 0) plan.onProgress?.(n + 1)
  }
  return rounds.end()
}

/** The processes of a run, and what was done to them. */
class FaultRounds implements FaultTarget {
  readonly plan: FaultPlan
  readonly random: () => number
  readonly emptiedAtMs: number[] = []
  #processes: FaultProcess[] = []
  readonly #injected: Record<string, number> = {}
  #started = 0
  #repeats = 0

  constructor(plan: FaultPlan) {
    this.plan = plan
    this.random = seededRandom(plan.seed)
  }

  get processes(): readonly FaultProcess[] {
    return this.#processes
  }

  async start(): Promise<void> {
    const first = this.plan.shared ? FIRST_PROCESSES : [NEWER[0]!]
    this.#processes = await Promise.all(first.map((generation) => this.#start(generation)))
    // What is published before a process asks for it need not reach its groups.
    for (const process of this.#processes) process.publish()
  }

  async inject(kind: FaultKind): Promise<void> {
    const acked = this.#ackedBytes()
    this.#injected[kind.name] = (this.#injected[kind.name] ?? 0) + 1
    this.#repeats += kind.repeats(this)
    await kind.inject(this, Math.floor(this.random() * this.#processes.length))
    const deadline = performance.now() + LONGEST_PAUSE_MS
    while (this.#ackedBytes() < acked + ACKED_BETWEEN_BYTES && performance.now() < deadline) {
      await pause(25)
    }
  }

  async replace(index: number): Promise<void> {
    await this.#processes[index]!.kill()
    const newer = this.#processes.filter(({ isNewer }, i) => isNewer && i !== index).length
    const generations = newer >= LEAST_NEWER ? [OLDER, ...NEWER] : NEWER
    const generation = generations[Math.floor(this.random() * generations.length)]!
    this.#processes[index] = await this.#start(generation)
    this.#processes[index]!.publish()
  }

  /** Ends all processes, lets one handle the rest, and adds up. */
  async end(): Promise<FaultReport> {
    const { plan, emptiedAtMs } = this
    const lastEmptiedMs = emptiedAtMs.at(-1)
    // A process that came after that does not know that there was anything before.
    const knew = this.#processes.some(({ readyAtMs }) => readyAtMs < (lastEmptiedMs ?? 0))
    if (lastEmptiedMs !== undefined && knew) {
      await untilEmptiedIsSaid(plan.directory, lastEmptiedMs, LONGEST_SILENCE_MS)
    }
    await Promise.all(this.#processes.map((process) => process.kill()))
    const about = `seed ${plan.seed}, ${plan.faults} faults`
    const last = await FaultProcess.start(plan, 'drain', NEWER[0]!, 'drain')
    await last.finished().catch((cause: Error) => this.#tellWhatIsLeft(about, cause))
    const bus = await EventBus.open({ store: plan.openStore() })
    try {
      const ledger = await readLedger(plan.directory, bus, about, {
        emptiedAtMs,
        isMixed: plan.shared,
        isStepped: this.#injected['clock stepped'] !== undefined,
      })
      const report = {
        seed: plan.seed,
        injected: this.#injected,
        handledAgainBound: this.#repeats,
        ...ledger,
      }
      assert.ok(
        report.handledAgain <= report.handledAgainBound,
        `${about}: ${report.handledAgain} events were handled again, the faults explain at most ${report.handledAgainBound}`,
      )
      return report
    } finally {
      await bus.close()
    }
  }

  async #start(generation: readonly (readonly string[])[]): Promise<FaultProcess> {
    const process = await FaultProcess.start(this.plan, `w${this.#started++}`, generation, 'load')
    await process.ready()
    return process
  }

  async #tellWhatIsLeft(about: string, cause: Error): Promise<never> {
    const bus = await EventBus.open({ store: this.plan.openStore() })
    const { groups } = (await bus.getStats()).store
    await bus.close()
    throw new Error(`${about}: ${cause.message}; left: ${JSON.stringify(groups)}`, { cause })
  }

  /** Size of the notes about acked publishes. */
  #ackedBytes(): number {
    const path = join(this.plan.directory, 'acked')
    return existsSync(path) ? statSync(path).size : 0
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
