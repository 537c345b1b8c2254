import { afterAll, beforeAll, expect, it } from 'vitest'
import { LockProcesses } from './lock-processes.js'
import type { LockAnswer } from './lock-worker.js'

// pnpm --filter @nexus/process-manager lock-test runs 4,000 rounds; LOCK_ROUNDS chooses another number.
const rounds = Number(process.env.LOCK_ROUNDS ?? 200)
const roundsPerDeath = 25
const processes = 8

let machine: LockProcesses

beforeAll(async () => {
  machine = await LockProcesses.open()
})
afterAll(() => machine.close())

it(
  `of 8 processes that race for a lock whose holder was killed, one at a time has it (${rounds} rounds)`,
  async () => {
    const racers = Array.from({ length: processes }, () => machine.start())
    const total = { taken: 0, doubles: 0 }
    for (let first = 0; first < rounds; first += roundsPerDeath) {
      const names = Array.from(
        { length: Math.min(roundsPerDeath, rounds - first) },
        (_, i) => `round-${first + i}`,
      )
      const holder = machine.start()
      await holder.run({ kind: 'hold', names })
      await holder.kill()
      for (const [i, name] of names.entries()) {
        // In the last of these rounds some process also removes what the dead one left, at the same moment.
        const clearing = i >= roundsPerDeath - 5 ? i % processes : -1
        const answers = racers.map((racer, r) =>
          racer.run({ kind: 'take', name, times: 1, clear: r === clearing }),
        )
        add(total, await Promise.all(answers))
      }
    }
    expect(total).toEqual({ taken: rounds * processes, doubles: 0 })
  },
  60_000 + rounds * 200,
)

it('removing left-over files while others lock lets no two in at once', async () => {
  const times = 250
  const answers = Array.from({ length: processes }, (_, i) =>
    machine.start().run({ kind: 'take', name: 'cleared', times, clear: i < 3 }),
  )
  const total = { taken: 0, doubles: 0 }
  add(total, await Promise.all(answers))
  expect(total).toEqual({ taken: times * processes, doubles: 0 })
}, 120_000)

function add(total: LockAnswer, answers: readonly LockAnswer[]): void {
  for (const { taken, doubles } of answers) {
    total.taken += taken
    total.doubles += doubles
  }
}
