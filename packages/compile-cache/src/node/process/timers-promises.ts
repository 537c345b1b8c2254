import { abortError } from '../events/abort-error.js'
import { setImmediate as immediate } from './timers.js'

interface Options {
  signal?: AbortSignal
  ref?: boolean
}

function wait<T>(
  value: T,
  { signal }: Options,
  start: (done: () => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal))
      return
    }
    const stop = start(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve(value)
    })
    const onAbort = () => {
      stop()
      reject(abortError(signal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export function setTimeout<T = void>(
  delayMs?: number,
  value?: T,
  options: Options = {},
): Promise<T> {
  return wait(value as T, options, (done) => {
    const timer = globalThis.setTimeout(done, delayMs)
    return () => globalThis.clearTimeout(timer)
  })
}

export function setImmediate<T = void>(value?: T, options: Options = {}): Promise<T> {
  return wait(value as T, options, (done) => {
    let isOff = false
    immediate(() => {
      if (!isOff) done()
    })
    return () => {
      isOff = true
    }
  })
}

export async function* setInterval<T = void>(
  delayMs?: number,
  value?: T,
  options: Options = {},
): AsyncGenerator<T> {
  const { signal } = options
  for (;;) {
    await setTimeout(delayMs, undefined, signal ? { signal } : {})
    yield value as T
  }
}

export const scheduler = {
  wait: (delayMs: number, options?: Options) => setTimeout(delayMs, undefined, options),
  yield: () => setImmediate(),
}

export default { scheduler, setImmediate, setInterval, setTimeout }
