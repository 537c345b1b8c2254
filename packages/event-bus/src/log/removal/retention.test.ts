import { HandClock } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { MemoryEngine } from '../../memory/memory-engine.js'
import type { CommitQueue } from '../commit/commit-queue.js'
import { EMPTY_HEAD } from '../log-engine.js'
import { Retention } from './retention.js'

it('what is stored while events are removed leads to another look', async () => {
  const commits: ((chunk: object) => void)[] = []
  const queue = {
    run: () => new Promise((resolve) => commits.push(resolve)),
  } as unknown as CommitQueue
  const retention = new Retention(
    {
      engine: new MemoryEngine(),
      queue,
      clock: new HandClock(),
      head: () => ({ ...EMPTY_HEAD, last: 3, events: 3 }),
      settledUntil: () => 3,
    },
    { maxEvents: 1 },
  )
  const end = async (): Promise<void> => {
    commits.at(-1)!({ events: 1, bytes: 10, isLast: true })
    await new Promise((resolve) => setImmediate(resolve))
  }
  retention.enforce()
  expect(commits).toHaveLength(1)
  retention.enforce()
  expect(commits).toHaveLength(1)
  await end()
  expect(commits).toHaveLength(2)
  await end()
  expect(commits).toHaveLength(2)
  expect(retention.removed).toEqual({ events: 2, bytes: 20 })
  await retention.close()
})
