import type { FaultPlan } from './fault-plan.js'
import type { FaultProcess } from './fault-process.js'
import { CONSUMERS, FAULT_CONCURRENCY, sharedNowMs } from './fault-worker.js'
import { hasFakeTime } from './wall-clock.js'

/** What faults happen to. */
export interface FaultTarget {
  /** What the rounds run on. */
  plan: FaultPlan
  /** Random numbers of the run: from 0 to 1. */
  random: () => number
  /** The processes that run now. */
  processes: readonly FaultProcess[]
  /** When the server was emptied, by the clock that all processes share. */
  emptiedAtMs: number[]
  /** Kills a process; another one, perhaps of another version of the program, takes its place. */
  replace(process: number): Promise<void>
}

/** Something that goes wrong. */
export interface FaultKind {
  /** What goes wrong, in two words. */
  name: string
  /** How often it is chosen, against the others. */
  weight: number
  /** Whether it can happen to this backend. */
  isPossible(plan: FaultPlan): boolean
  /** How many handlings it can repeat. */
  repeats(target: FaultTarget): number
  /** Lets it happen to a process, or to what all processes share. */
  inject(target: FaultTarget, process: number): Promise<void>
}

/** What runs in a process, and what is being settled. */
const REPEATED_BY_KILL = CONSUMERS * 2 * FAULT_CONCURRENCY
/** Claims that lapse while a server or a process stands still: also those that wait for their turn. */
const REPEATED_BY_LAPSE = CONSUMERS * (5 * FAULT_CONCURRENCY + 100)

const ofOneProcess = () => REPEATED_BY_LAPSE
const ofAllProcesses = ({ processes }: FaultTarget) => processes.length * REPEATED_BY_LAPSE
const hasServer = ({ server }: FaultPlan) => server !== undefined

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What the rounds inject. A new kind of fault is one more entry. */
export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: 'process killed',
    weight: 5,
    isPossible: () => true,
    repeats: () => REPEATED_BY_KILL,
    inject: (target, i) => target.replace(i),
  },
  {
    name: 'clock stepped',
    weight: 5,
    isPossible: hasFakeTime,
    // Claims last by clocks that are not stepped.
    repeats: () => 0,
    inject: async ({ processes, random }, i) => processes[i]!.clock.step(random),
  },
  {
    name: 'process frozen',
    weight: 3,
    // One that keeps others out of its place is waited for.
    isPossible: ({ shared }) => shared,
    repeats: ofOneProcess,
    inject: ({ processes, random }, i) => processes[i]!.freeze(300 + random() * 2_700),
  },
  {
    name: 'connections dropped',
    weight: 5,
    isPossible: hasServer,
    repeats: ofOneProcess,
    inject: async ({ processes }, i) => processes[i]!.proxy!.drop(),
  },
  {
    name: 'connections reset',
    weight: 5,
    isPossible: hasServer,
    repeats: ofOneProcess,
    inject: async ({ processes, random }, i) => {
      processes[i]!.proxy!.reset()
      await pause(random() * 500)
      processes[i]!.proxy!.flow()
    },
  },
  {
    name: 'connections stalled',
    weight: 4,
    isPossible: hasServer,
    repeats: ofOneProcess,
    inject: async ({ processes, random }, i) => {
      processes[i]!.proxy!.stall()
      await pause(random() * 1_500)
      processes[i]!.proxy!.flow()
    },
  },
  {
    name: 'server killed',
    weight: 3,
    isPossible: hasServer,
    repeats: ofAllProcesses,
    inject: async ({ plan, random }) => {
      await plan.server!.kill()
      await pause(random() * 300)
      await plan.server!.restart()
    },
  },
  {
    name: 'server emptied',
    weight: 1,
    isPossible: hasServer,
    repeats: ofAllProcesses,
    inject: async ({ plan, emptiedAtMs }) => {
      // Before: a process may notice at once.
      emptiedAtMs.push(sharedNowMs())
      await plan.server!.empty()
    },
  },
]
