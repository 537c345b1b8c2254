import { isDeepStrictEqual } from 'node:util'
import type { EventBus, Subscription } from '@nexus/event-bus'
import type { FunctionConfig } from '../config/load-config.js'
import type { LoadedFunction } from './load-functions.js'
import { type RunParts, runFunction } from './run-function.js'

interface Binding {
  /** What the next delivery runs; a reload replaces it. */
  loaded: LoadedFunction
  subscription: Subscription
}

/** Keeps each function subscribed to its events, one consumer group per function. */
export class FunctionHost {
  readonly #bus: EventBus
  readonly #parts: RunParts
  readonly #bindings = new Map<string, Binding>()

  constructor(bus: EventBus, parts: RunParts) {
    this.#bus = bus
    this.#parts = parts
  }

  /** Names of the functions that run. */
  get names(): string[] {
    return [...this.#bindings.keys()]
  }

  /** Every file the functions are made of: their sources, what those import, and what they are given. */
  get files(): string[] {
    return [...this.#bindings.values()].flatMap(({ loaded: { config, compiled } }) => [
      ...(compiled.inputs ?? [config.file]),
      ...Object.values(config.files ?? {}),
    ])
  }

  /** Makes `functions` the ones that run; deliveries that are under way end with the code they began with. */
  async bind(functions: readonly LoadedFunction[]): Promise<void> {
    const wanted = new Map(functions.map((loaded) => [loaded.config.name, loaded]))
    for (const [name, binding] of this.#bindings) {
      const loaded = wanted.get(name)
      if (loaded && sameSubscription(binding.loaded.config, loaded.config)) {
        binding.loaded = loaded
        wanted.delete(name)
      } else {
        this.#bindings.delete(name)
        await binding.subscription.close()
      }
    }
    for (const [name, loaded] of wanted) this.#bindings.set(name, this.#subscribe(loaded))
    await Promise.all([...this.#bindings.values()].map(({ subscription }) => subscription.ready))
  }

  #subscribe(loaded: LoadedFunction): Binding {
    const { name, events, concurrency, orderingKey, ackWaitMs, retry } = loaded.config
    const subscription = this.#bus.subscribe(
      events,
      (delivery) => runFunction(binding.loaded, delivery, this.#parts),
      {
        group: name,
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(orderingKey === undefined ? {} : { orderingKey }),
        ...(ackWaitMs === undefined ? {} : { ackWaitMs }),
        ...(retry === undefined ? {} : { retry }),
      },
    )
    const binding: Binding = { loaded, subscription }
    return binding
  }
}

/** Whether a function can take its new code without giving up its subscription. */
function sameSubscription(a: FunctionConfig, b: FunctionConfig): boolean {
  const options = ({ events, concurrency, orderingKey, ackWaitMs, retry }: FunctionConfig) => ({
    events,
    concurrency,
    orderingKey,
    ackWaitMs,
    retry,
  })
  return isDeepStrictEqual(options(a), options(b))
}
