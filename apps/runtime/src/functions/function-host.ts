import { isDeepStrictEqual } from 'node:util'
import type { EventBus, Subscription } from '@nexus/event-bus'
import type { FunctionConfig } from '../config/load-config.js'
import type { LoadedFunction } from './load-functions.js'
import { type RunParts, runFunction } from './run-function.js'

/** Events that each function takes from the bus at once. */
const defaultBatchSize = 100

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
  #batchSize = defaultBatchSize
  /** Ends when the change under way has; they come one after the other. */
  #changing: Promise<void> = Promise.resolve()

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
  bind(functions: readonly LoadedFunction[]): Promise<void> {
    return this.#change(() => this.#bind(functions))
  }

  /** How many events each function takes from the bus at once. */
  get batchSize(): number {
    return this.#batchSize
  }

  /** Subscribes every function anew; what is under way ends before, and no event is lost in between. */
  setBatchSize(batchSize: number): Promise<void> {
    return this.#change(async () => {
      this.#batchSize = batchSize
      for (const [name, { loaded, subscription }] of [...this.#bindings]) {
        await subscription.close()
        this.#bindings.set(name, this.#subscribe(loaded))
      }
      await this.#ready()
    })
  }

  #change(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => {})
    return changed
  }

  async #bind(functions: readonly LoadedFunction[]): Promise<void> {
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
    await this.#ready()
  }

  async #ready(): Promise<void> {
    await Promise.all([...this.#bindings.values()].map(({ subscription }) => subscription.ready))
  }

  #subscribe(loaded: LoadedFunction): Binding {
    const { name, events, concurrency, orderingKey, ackWaitMs, retry } = loaded.config
    const subscription = this.#bus.subscribe(
      events,
      (delivery) => runFunction(binding.loaded, delivery, this.#parts),
      {
        group: name,
        batchSize: this.#batchSize,
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
