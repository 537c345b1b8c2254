import { HandClock } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { RetentionSweep, type SweepResult } from './retention-sweep.js'

const NOTHING: SweepResult = { events: 0, bytes: 0 }

/** A sweep whose looks end when the test says. */
function startSweep() {
  const clock = new HandClock()
  const looks: ((result: SweepResult) => void)[] = []
  const look = () => new Promise<SweepResult>((resolve) => looks.push(resolve))
  const errors: unknown[] = []
  const sweep = new RetentionSweep(clock, look, (error) => errors.push(error))
  /** Ends the look that is under way, and lets the sweep take note. */
  const end = async (result: SweepResult = NOTHING) => {
    looks.at(-1)!(result)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { clock, looks, sweep, end, errors }
}

it('a nudge during a look leads to another look', async () => {
  const { clock, looks, sweep, end } = startSweep()
  sweep.nudge()
  clock.advance(200)
  expect(looks).toHaveLength(1)
  sweep.nudge()
  await end()
  clock.advance(200)
  expect(looks).toHaveLength(2)
  await end()
  clock.advance(60_000)
  expect(looks).toHaveLength(2)
  await sweep.close()
})

it('nudges gather, and what a look removed is added up', async () => {
  const { clock, looks, sweep, end } = startSweep()
  for (let n = 0; n < 100; n++) sweep.nudge()
  clock.advance(199)
  expect(looks).toHaveLength(0)
  clock.advance(1)
  expect(looks).toHaveLength(1)
  await end({ events: 500, bytes: 10_000, nextMs: 0 })
  expect(looks).toHaveLength(2)
  await end({ events: 1, bytes: 20, nextMs: 5_000 })
  expect(sweep.removed).toEqual({ events: 501, bytes: 10_020 })
  clock.advance(4_999)
  expect(looks).toHaveLength(2)
  clock.advance(1)
  expect(looks).toHaveLength(3)
  await end()
  await sweep.close()
})
