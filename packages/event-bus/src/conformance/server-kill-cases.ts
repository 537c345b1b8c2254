import { type KillPlan, type KillReport, killRounds } from './kill-rounds.js'
import { KILL_CONCURRENCY } from './kill-worker.js'

/** What the kill tests of a store on a server need. */
export interface ServerKillPlan extends Omit<KillPlan, 'workers' | 'disturb'> {
  server: { kill(): Promise<void>; restart(): Promise<void> }
  /** A killed server may forget which events were acked, and deliver all of them once more. */
  forgetsAcks: boolean
}

/** One promise about servers and workers that die. */
export interface ServerKillCase {
  name: string
  run(plan: ServerKillPlan): Promise<KillReport>
}

const WORKERS = 2
/** Claims a worker may hold: what runs and what is being settled in two groups, and what waits for its turn. */
const CLAIMED = 5 * KILL_CONCURRENCY + 100

/** Run like `conformanceCases`, each on an empty server and directory. */
export const serverKillCases: readonly ServerKillCase[] = [
  {
    name: 'loses nothing that was acked when workers and the server are killed',
    run: ({ server, forgetsAcks, ...plan }) =>
      killRounds({
        ...plan,
        workers: WORKERS,
        disturb: async (random, _, handled) => {
          if (random() < 0.5) return 0
          await server.kill()
          const forgotten = forgetsAcks ? handled() : 0
          await server.restart()
          return forgotten + WORKERS * CLAIMED
        },
      }),
  },
  {
    name: 'gives the work of a consumer that stands still to the others',
    run: (plan) =>
      killRounds({
        ...plan,
        rounds: 1,
        workers: WORKERS,
        disturb: async (_, workers) => {
          workers[0]!.kill('SIGSTOP')
          // Longer than the two seconds after which a claim lapses.
          await new Promise((resolve) => setTimeout(resolve, 3_000))
          workers[0]!.kill('SIGCONT')
          await new Promise((resolve) => setTimeout(resolve, 500))
          return CLAIMED
        },
      }),
  },
]
