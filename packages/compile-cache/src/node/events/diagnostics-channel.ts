import { assertFunction, invalidType } from '../node-error.js'

type Subscriber = (message: unknown, name: string | symbol) => void

/** Where a library says what it does, to who listens. */
export class Channel {
  readonly name: string | symbol
  #subscribers: Subscriber[] = []

  constructor(name: string | symbol) {
    this.name = name
  }
  get hasSubscribers(): boolean {
    return this.#subscribers.length > 0
  }
  subscribe(subscriber: Subscriber): void {
    assertFunction(subscriber, 'subscription')
    this.#subscribers = [...this.#subscribers, subscriber]
  }
  unsubscribe(subscriber: Subscriber): boolean {
    const at = this.#subscribers.indexOf(subscriber)
    if (at < 0) return false
    this.#subscribers = this.#subscribers.toSpliced(at, 1)
    return true
  }
  publish(message: unknown): void {
    for (const subscriber of this.#subscribers) subscriber(message, this.name)
  }
  bindStore(): void {}
  unbindStore(): boolean {
    return false
  }
  runStores<R>(
    message: unknown,
    callback: (...args: unknown[]) => R,
    thisArg?: unknown,
    ...args: unknown[]
  ): R {
    this.publish(message)
    return callback.apply(thisArg, args)
  }
}

const channels = new Map<string | symbol, Channel>()

export function channel(name: string | symbol): Channel {
  if (typeof name !== 'string' && typeof name !== 'symbol') {
    throw invalidType('channel', 'one of type string or symbol', name)
  }
  let found = channels.get(name)
  if (!found) {
    found = new Channel(name)
    channels.set(name, found)
  }
  return found
}

export const subscribe = (name: string | symbol, subscriber: Subscriber): void =>
  channel(name).subscribe(subscriber)
export const unsubscribe = (name: string | symbol, subscriber: Subscriber): boolean =>
  channel(name).unsubscribe(subscriber)
export const hasSubscribers = (name: string | symbol): boolean =>
  channels.get(name)?.hasSubscribers ?? false

const PHASES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
type Tracing = Record<(typeof PHASES)[number], Channel>

/** The five channels of one operation. */
export function tracingChannel(nameOrChannels: string | Tracing) {
  const phases = (
    typeof nameOrChannels === 'string'
      ? Object.fromEntries(
          PHASES.map((phase) => [phase, channel(`tracing:${nameOrChannels}:${phase}`)]),
        )
      : nameOrChannels
  ) as Tracing
  return {
    ...phases,
    get hasSubscribers() {
      return PHASES.some((phase) => phases[phase].hasSubscribers)
    },
    subscribe(handlers: Partial<Record<keyof Tracing, Subscriber>>) {
      for (const phase of PHASES) if (handlers[phase]) phases[phase].subscribe(handlers[phase])
    },
    unsubscribe(handlers: Partial<Record<keyof Tracing, Subscriber>>) {
      return PHASES.every((phase) => !handlers[phase] || phases[phase].unsubscribe(handlers[phase]))
    },
    traceSync<R>(
      callback: (...args: unknown[]) => R,
      context: Record<string, unknown> = {},
      thisArg?: unknown,
      ...args: unknown[]
    ): R {
      phases.start.publish(context)
      try {
        const result = callback.apply(thisArg, args)
        context.result = result
        return result
      } catch (error) {
        context.error = error
        phases.error.publish(context)
        throw error
      } finally {
        phases.end.publish(context)
      }
    },
    tracePromise<R>(
      callback: (...args: unknown[]) => Promise<R>,
      context: Record<string, unknown> = {},
      thisArg?: unknown,
      ...args: unknown[]
    ): Promise<R> {
      const settled = (key: string, value: unknown) => {
        context[key] = value
        if (key === 'error') phases.error.publish(context)
        phases.asyncStart.publish(context)
        phases.asyncEnd.publish(context)
      }
      phases.start.publish(context)
      try {
        return Promise.resolve(callback.apply(thisArg, args)).then(
          (result) => {
            settled('result', result)
            return result
          },
          (error: unknown) => {
            settled('error', error)
            throw error
          },
        )
      } finally {
        phases.end.publish(context)
      }
    },
  }
}

export default { Channel, channel, hasSubscribers, subscribe, tracingChannel, unsubscribe }
