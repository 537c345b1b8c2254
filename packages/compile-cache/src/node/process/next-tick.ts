import { assertFunction } from '../node-error.js'
import { platformHost } from '../platform-host.js'
import { bindContext } from './async-context.js'

type Tick = () => void

const queue: Tick[] = []
let isScheduled = false

/** Runs the ticks, and those that they add. */
function runTicks(): void {
  isScheduled = false
  while (queue.length > 0) {
    try {
      queue.shift()!()
    } catch (error) {
      // The others run all the same, and the error ends the call.
      if (queue.length > 0) schedule()
      throw error
    }
  }
}

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  queueMicrotask(() => {
    if (isScheduled) runTicks()
  })
}

/**
 * Calls `callback` when the code that runs now has ended. What the handler, a timer or an answer adds while it runs comes before the
 * promise jobs; what a promise job adds, after those that wait already.
 */
export function nextTick(callback: (...args: never[]) => void, ...args: unknown[]): void {
  assertFunction(callback, 'callback')
  platformHost.turnEnded ??= runTicks
  queue.push(bindContext(() => (callback as (...values: unknown[]) => void)(...args)))
  schedule()
}
