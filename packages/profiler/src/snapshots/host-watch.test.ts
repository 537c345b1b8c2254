import { expect, it, vi } from 'vitest'
import { HostWatch } from './host-watch.js'

const state = (timestamp: number) => ({
  timestamp,
  fileSystems: [],
  processes: { count: 1, busiest: [] },
})

it('reads at once, then not before the interval has passed, and keeps what it read last', async () => {
  const read = vi.fn(async () => state(1))
  const watch = new HostWatch(10_000, read)
  expect(watch.latest).toBeUndefined()
  watch.refresh(5)
  watch.refresh(10_004)
  expect(read).toHaveBeenCalledTimes(1)
  await expect.poll(() => watch.latest).toEqual(state(1))
  read.mockRejectedValueOnce(new Error('no df'))
  watch.refresh(10_005)
  expect(read).toHaveBeenCalledTimes(2)
  await vi.waitFor(() => expect(watch.latest).toEqual(state(1)))
})

it('an interval of 0 reads nothing', () => {
  const read = vi.fn(async () => state(1))
  new HostWatch(0, read).refresh(5)
  expect(read).not.toHaveBeenCalled()
})
