import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { stopSignal } from './stop-signal.js'

function started() {
  const signals = new EventEmitter()
  let now = 0
  const onSecond = vi.fn()
  const stopped = stopSignal(onSecond, { signals, clock: { now: () => now } })
  const send = (signal: string, atMs: number) => {
    now = atMs
    signals.emit(signal)
  }
  return { stopped, send, onSecond }
}

describe.each(['SIGINT', 'SIGTERM'])('after a first %s', (first) => {
  it.each(['SIGINT', 'SIGTERM'])(
    'a second %s that comes later ends the process at once',
    async (second) => {
      const { stopped, send, onSecond } = started()
      send(first, 1000)
      await stopped
      expect(onSecond).not.toHaveBeenCalled()
      send(second, 1300)
      expect(onSecond).toHaveBeenCalledExactlyOnceWith(second)
    },
  )

  it('the repeat that npm sends at once is ignored', async () => {
    const { stopped, send, onSecond } = started()
    send(first, 1000)
    send(first, 1299)
    await stopped
    expect(onSecond).not.toHaveBeenCalled()
  })
})
