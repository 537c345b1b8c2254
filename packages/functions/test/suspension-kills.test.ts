import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { expect, it, onTestFinished } from 'vitest'

const child = join(import.meta.dirname, 'suspension-child.mjs')
const CALLS = 100
const STEPS = 4
const KILLS = 5
/** Deliveries after which a process is killed, at most: together fewer than the work takes. */
const MOST_DELIVERIES = (CALLS * STEPS) / (KILLS + 1)

async function dataOf(bus: EventBus, type: string): Promise<{ order: string; step?: number }[]> {
  const found: { order: string; step?: number }[] = []
  let cursor: string | undefined
  do {
    const page = await bus.list({ type, limit: 1000, ...(cursor !== undefined && { cursor }) })
    found.push(...page.events.map(({ event }) => event.data as { order: string }))
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

it('loses none of 400 suspensions, resumes none twice and emits nothing twice under kill -9', {
  timeout: 600_000,
}, async () => {
  const path = await mkdtemp(join(tmpdir(), 'nexus-kills-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  let kills = 0
  for (let ended = false; !ended; ) {
    const worker = fork(child, [path, String(CALLS)], {
      // The child runs what was built.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const exited = once(worker, 'exit')
    if (kills < KILLS) {
      let left = Math.ceil(Math.random() * MOST_DELIVERIES)
      worker.on('message', () => {
        left -= 1
        if (left === 0) worker.kill('SIGKILL')
      })
    }
    const [code, signal] = (await exited) as [number | null, string | null]
    ended = code === 0
    if (!ended) expect(signal).toBe('SIGKILL')
    kills += Number(signal === 'SIGKILL')
  }
  expect(kills).toBe(KILLS)
  const bus = await EventBus.open({ store: localStore({ path, readOnly: true }) })
  onTestFinished(() => bus.close())
  const steps = (await dataOf(bus, 'walk.step')).map(({ order, step }) => `${order} ${step}`)
  expect(steps).toHaveLength(CALLS * STEPS)
  expect(new Set(steps).size).toBe(CALLS * STEPS)
  const ends = await dataOf(bus, 'walk.end')
  expect(ends).toHaveLength(CALLS)
  expect(new Set(ends.map(({ order }) => order)).size).toBe(CALLS)
  expect(ends.every((end) => JSON.stringify(end).includes('"steps":[0,1,2,3]'))).toBe(true)
  expect(await bus.states.count('walk', 'call')).toBe(0)
  expect((await dataOf(bus, 'walk.answer')).length).toBe((CALLS * STEPS) / 2)
  expect((await bus.deadLetters.list()).total).toBe(0)
})
