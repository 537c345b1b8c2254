import { abortError } from './abort-error.js'
import type { Emitter, Listener, Name } from './emitter.js'

interface Options {
  signal?: AbortSignal
  close?: Name[]
}

interface Waiting {
  resolve(result: IteratorResult<unknown[]>): void
  reject(error: unknown): void
}

/** The events of an emitter one after the other; those that are not asked for yet wait. */
export function eventIterator(
  emitter: Emitter,
  name: Name,
  { signal, close = [] }: Options,
): AsyncIterableIterator<unknown[]> {
  const events: unknown[][] = []
  const waiting: Waiting[] = []
  let failure: { error: unknown } | undefined
  let isOver = false

  const onEvent: Listener = (...args: unknown[]) => {
    const next = waiting.shift()
    if (next) next.resolve({ value: args, done: false })
    else events.push(args)
  }
  const onError: Listener = (error: unknown) => {
    const next = waiting.shift()
    if (next) next.reject(error)
    else failure = { error }
    end()
  }
  const onAbort = () => onError(abortError(signal))
  const end = () => {
    isOver = true
    emitter.removeListener(name, onEvent)
    emitter.removeListener('error', onError)
    for (const other of close) emitter.removeListener(other, end as Listener)
    signal?.removeEventListener('abort', onAbort)
    for (const next of waiting.splice(0)) next.resolve({ value: undefined, done: true })
    return Promise.resolve({ value: undefined, done: true } as const)
  }

  emitter.on(name, onEvent)
  if (name !== 'error') emitter.on('error', onError)
  for (const other of close) emitter.on(other, end as Listener)
  signal?.addEventListener('abort', onAbort, { once: true })

  return {
    next() {
      const event = events.shift()
      if (event) return Promise.resolve({ value: event, done: false })
      if (failure) {
        const { error } = failure
        failure = undefined
        return Promise.reject(error)
      }
      if (isOver) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    return: end,
    throw(error: unknown) {
      onError(error)
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
