import { afterEach, expect, it, vi } from 'vitest'
import { CommandQueue } from './command-queue.js'

afterEach(() => void vi.useRealTimers())

it('goes on after a command that failed', async () => {
  const queue = new CommandQueue()
  const failed = queue.run('a', () => Promise.reject(new Error('no')))
  const next = queue.run('a', async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
})

it('hurries what is ahead, not what comes later nor another name, and only after a while', async () => {
  vi.useFakeTimers()
  const queue = new CommandQueue()
  const untilHurried = (hurry: AbortSignal) =>
    new Promise<string>((resolve) => {
      hurry.addEventListener('abort', () => resolve(String(hurry.reason.message)))
      if (hurry.aborted) resolve('at once')
    })
  const running = queue.run('a', untilHurried)
  const waiting = queue.run('a', untilHurried)
  const other = queue.run('b', async (hurry) => {
    await vi.advanceTimersByTimeAsync(0)
    return hurry.aborted
  })
  queue.hurry('a', 1_000, new Error('a stop is due'))
  const behind = queue.run('a', async (hurry) => hurry.aborted)
  let ended = false
  void running.then(() => {
    ended = true
  })
  await vi.advanceTimersByTimeAsync(999)
  expect(ended).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await running).toBe('a stop is due')
  expect(await waiting).toBe('at once')
  expect(await behind).toBe(false)
  expect(await other).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})
