import { isDeepStrictEqual } from 'node:util'
import type { SubscribeOptions, Subscription, SubscriptionStats } from '@nexus/event-bus'
import { type CallOptions, callOptionsSchema } from '@nexus/executor'
import { compileFunctions, pathOf } from './compile-functions.js'
import { FunctionsError } from './errors.js'
import type { CompiledFunction, FunctionDefinition } from './function-definition.js'
import {
  type FunctionHostOptions,
  hostSchema,
  parseOptions,
  type ResolvedHostOptions,
  subscriptionSchema,
} from './options.js'
import { type FunctionRun, functionRun } from './run/function-run.js'
import { type BoundFunction, runFunction } from './run/run-function.js'

/** Which event: ids are unique within a source. */
export interface EventKey {
  /** Unique within its source. */
  id: string
  /** Needed where events of several sources have the id. */
  source?: string | undefined
}

/** Figures of a {@link FunctionHost}. */
export interface FunctionHostStats {
  /** What the subscription of each function did. */
  functions: SubscriptionStats[]
  /** Settings of the host, in bytes. */
  limits: { maxRecordBytes: number }
}

interface Binding {
  /** What the next delivery runs; a reload replaces it. */
  bound: BoundFunction
  subscription: Subscription
}

/**
 * Keeps functions subscribed to their events, one consumer group per function: each event of a function runs in the
 * sandbox, what it emits is committed with the acknowledgement, and a failure is tried again or becomes a dead letter.
 *
 * @example
 * ```ts
 * const host = new FunctionHost({ bus, runtime })
 * await host.bind([{ name: 'greet', source: 'export default (event) => `Hello ${event.data}`', events: 'greet' }])
 * const { id } = await bus.publish({ type: 'greet', data: 'Ada' })
 * ```
 */
export class FunctionHost {
  readonly #options: ResolvedHostOptions
  readonly #bindings = new Map<string, Binding>()
  /** Ends when the change under way has; they come one after the other. */
  #changing: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @throws FunctionsError `INVALID_OPTIONS` */
  constructor(options: FunctionHostOptions) {
    this.#options = parseOptions(hostSchema, options, 'FunctionHost')
  }

  /** Names of the functions that run. */
  get names(): string[] {
    return [...this.#bindings.keys()]
  }

  /** The functions that run, as they were given; those with a `file` without what was compiled from it. */
  get definitions(): FunctionDefinition[] {
    return [...this.#bindings.values()].map(({ bound: { definition } }) =>
      withoutCompiled(definition),
    )
  }

  /** Every file that the functions are made of: their sources, what those import, and what commands are given. */
  get files(): string[] {
    return [...this.#bindings.values()].flatMap(({ bound: { definition } }) => [
      ...(definition.compiled.inputs ?? []),
      ...filesOf(definition),
    ])
  }

  /**
   * Makes exactly these functions the ones that run. A function whose subscription stays the same takes its new code
   * without giving it up; deliveries that are under way end with the code they began with. When one does not compile,
   * nothing changes.
   *
   * @throws FunctionsError `FUNCTION_INVALID` naming every function that does not compile, `INVALID_OPTIONS`,
   * `FUNCTION_EXISTS`, `CLOSED`
   */
  bind(definitions: readonly FunctionDefinition[]): Promise<void> {
    return this.#change(() => definitions)
  }

  /**
   * Binds one function beside those that run.
   *
   * @throws FunctionsError `FUNCTION_EXISTS`, and as {@link bind} does
   */
  add(definition: FunctionDefinition): Promise<void> {
    return this.#change(() => [...this.#compiled(), definition])
  }

  /**
   * Stops one function; its deliveries that are under way end first. The bus keeps its consumer group: bound again, it
   * goes on where it stopped. `bus.removeGroup(name)` forgets that too.
   *
   * @throws FunctionsError `FUNCTION_NOT_FOUND`, `CLOSED`
   */
  remove(name: string): Promise<void> {
    return this.#change(() => {
      if (!this.#bindings.has(name)) {
        const known = this.names.join(', ') || 'none'
        throw new FunctionsError(
          'FUNCTION_NOT_FOUND',
          `no function ${name} runs here; bound are: ${known}`,
        )
      }
      return this.#compiled().filter((one) => one.name !== name)
    })
  }

  /**
   * Compiles the functions that have a `file` again, and runs their new code.
   *
   * @throws as {@link bind} does; then the functions go on as they were
   */
  reload(): Promise<void> {
    return this.#change(() => this.definitions)
  }

  /**
   * What each function did with an event: status, attempts, result, logs, error.
   *
   * @param event its id, and its source where events of several sources have the id
   * @returns undefined when the bus has no such event
   * @throws EventBusError `AMBIGUOUS_ID` when several events have the id and no source is given
   *
   * @example
   * ```ts
   * const { id } = await bus.publish({ type: 'greet', data: 'Ada' })
   * const runs = await host.runs({ id })
   * ```
   */
  async runs({ id, source }: EventKey): Promise<FunctionRun[] | undefined> {
    const details = await this.#options.bus.get(id, source)
    return details?.deliveries.map(functionRun)
  }

  /** Figures of the functions that run now. */
  getStats(): FunctionHostStats {
    return {
      functions: [...this.#bindings.values()].map(({ subscription }) => subscription.getStats()),
      limits: { maxRecordBytes: this.#options.maxRecordBytes },
    }
  }

  /**
   * Stops all functions. Calls that are under way get `drainTimeoutMs` to end; events that were not done go to another
   * process, or to this one after its next start.
   */
  close({ drainTimeoutMs = 10_000 }: { drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#changing.then(async () => {
      const bindings = [...this.#bindings.values()]
      this.#bindings.clear()
      await Promise.all(bindings.map(({ subscription }) => subscription.close({ drainTimeoutMs })))
    })
    return this.#closing
  }

  #compiled(): CompiledFunction[] {
    return [...this.#bindings.values()].map(({ bound }) => bound.definition)
  }

  #change(wanted: () => readonly FunctionDefinition[]): Promise<void> {
    const changed = this.#changing.then(async () => {
      if (this.#closing) throw new FunctionsError('CLOSED', 'the function host was closed')
      await this.#apply(await compileFunctions(wanted(), this.#options.runtime))
    })
    this.#changing = changed.catch(() => {})
    return changed
  }

  async #apply(functions: readonly CompiledFunction[]): Promise<void> {
    const wanted = new Map(functions.map((definition) => [definition.name, definition]))
    for (const [name, binding] of this.#bindings) {
      const definition = wanted.get(name)
      if (definition && sameSubscription(binding.bound.definition, definition)) {
        binding.bound = boundFunction(definition)
        wanted.delete(name)
      } else {
        this.#bindings.delete(name)
        await binding.subscription.close()
      }
    }
    for (const [name, definition] of wanted) this.#bindings.set(name, this.#subscribe(definition))
    await Promise.all([...this.#bindings.values()].map(({ subscription }) => subscription.ready))
  }

  #subscribe(definition: CompiledFunction): Binding {
    const { bus } = this.#options
    const subscription = bus.subscribe(
      definition.events,
      (delivery) => runFunction(binding.bound, delivery, this.#options),
      { ...subscribeOptionsOf(definition), group: definition.name },
    )
    const binding: Binding = { bound: boundFunction(definition), subscription }
    return binding
  }
}

const subscribeKeys = Object.keys(subscriptionSchema.shape) as (keyof FunctionDefinition)[]
const limitKeys = Object.keys(callOptionsSchema.shape) as (keyof FunctionDefinition)[]

function boundFunction(definition: CompiledFunction): BoundFunction {
  return { definition, limits: pick(definition, limitKeys) as CallOptions }
}

function subscribeOptionsOf(definition: FunctionDefinition): Omit<SubscribeOptions, 'group'> {
  return pick(definition, subscribeKeys) as Omit<SubscribeOptions, 'group'>
}

function pick(definition: FunctionDefinition, keys: readonly (keyof FunctionDefinition)[]): object {
  return Object.fromEntries(
    keys.flatMap((key) => (definition[key] === undefined ? [] : [[key, definition[key]]])),
  )
}

/** Whether a function can take its new code without giving up its subscription. */
function sameSubscription(a: FunctionDefinition, b: FunctionDefinition): boolean {
  const subscription = (definition: FunctionDefinition) => [
    [definition.events].flat(),
    subscribeOptionsOf(definition),
  ]
  return isDeepStrictEqual(subscription(a), subscription(b))
}

function withoutCompiled(definition: CompiledFunction): FunctionDefinition {
  if (definition.file === undefined) return definition
  const { compiled: _, ...rest } = definition
  return rest
}

/** The files that a definition names by itself. */
export function filesOf(definition: FunctionDefinition): string[] {
  const file = pathOf(definition)
  return [...(file === undefined ? [] : [file]), ...Object.values(definition.files ?? {})]
}
