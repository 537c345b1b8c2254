import { threadId } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { releaseSlotsOf, ThreadPoolGate } from './thread-pool-slots.js'

/** Memory of a pool with `threads` threads. */
const poolOf = (threads: number) => new SharedArrayBuffer(threads * 4)
const always = () => true
/** Work that ends when it is told to. */
function work() {
  let end = () => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  const task = {
    started: false,
    end,
    start() {
      task.started = true
      return done
    },
  }
  return task
}

it('leaves one thread of the pool free, and starts the next work when one ends', async () => {
  const gate = new ThreadPoolGate(poolOf(3))
  const tasks = [work(), work(), work(), work()]
  const ends = tasks.map((task) => gate.enter(task.start, always))
  expect(tasks.map((task) => task.started)).toEqual([true, true, false, false])
  tasks[1]!.end()
  await ends[1]
  await expect.poll(() => tasks.map((task) => task.started)).toEqual([true, true, true, false])
  for (const task of tasks) task.end()
  await Promise.all(ends)
})

it('shares the slots with the gates of other threads', async () => {
  const pool = poolOf(2)
  const [one, other] = [new ThreadPoolGate(pool), new ThreadPoolGate(pool)]
  const [first, second] = [work(), work()]
  const end = one.enter(first.start, always)
  const otherEnd = other.enter(second.start, always)
  expect(second.started).toBe(false)
  first.end()
  await end
  await expect.poll(() => second.started).toBe(true)
  second.end()
  await otherEnd
})

it('drops what is not wanted any more when its turn comes', async () => {
  const gate = new ThreadPoolGate(poolOf(2))
  const [first, second, third] = [work(), work(), work()]
  void gate.enter(first.start, always)
  const dropped = gate.enter(second.start, () => false)
  const last = gate.enter(third.start, always)
  first.end()
  await dropped
  await expect.poll(() => third.started).toBe(true)
  expect(second.started).toBe(false)
  third.end()
  await last
})

it('takes back what a thread that ended had taken', async () => {
  const pool = poolOf(2)
  const [stuck, next] = [work(), work()]
  void new ThreadPoolGate(pool).enter(stuck.start, always)
  void new ThreadPoolGate(pool).enter(next.start, always)
  releaseSlotsOf(threadId + 1, pool)
  expect(next.started).toBe(false)
  releaseSlotsOf(threadId, pool)
  await expect.poll(() => next.started).toBe(true)
})

it('is closed where the pool has one thread', () => {
  expect(new ThreadPoolGate(poolOf(1)).isOpen).toBe(false)
  expect(new ThreadPoolGate(poolOf(2)).isOpen).toBe(true)
})
