import { resolve } from 'node:path'
import type {
  EraseQuery,
  EventInput,
  FailedDelivery,
  PublishOptions,
  Subscription,
  SubscriptionStats,
  WaitOptions,
} from '@nexus/event-bus'
import {
  boundFunction,
  type SubscriptionSettings,
  sameSettings,
  subscriptionSettings,
} from './bind/subscription-settings.js'
import { compileFunctions, pathOf } from './compile-functions.js'
import { FunctionsError } from './errors.js'
import { deadLetterEvent } from './failure/dead-letter-event.js'
import type { CompiledFunction, FunctionDefinition } from './function-definition.js'
import { answerRequest } from './http/answer-request.js'
import { type HttpMatch, HttpRoutes } from './http/http-routes.js'
import { countRequest, type RequestCounts } from './http/request-counts.js'
import type { Invoke } from './invoke/invoke-from-function.js'
import {
  type Invocation,
  type InvokeOptions,
  invocationType,
  invokeFunction,
} from './invoke/invoke-function.js'
import { logPauseChange } from './log/log-pause-change.js'
import {
  type FunctionHostOptions,
  hostSchema,
  parseOptions,
  type ResolvedHostOptions,
} from './options.js'
import { FailureStreaks } from './pause/failure-streaks.js'
import type { FunctionPause, FunctionPauseChange } from './pause/function-pause.js'
import { Pauses } from './pause/pauses.js'
import { quiesce } from './quiesce.js'
import { type EventOutcome, type EventReceipt, eventOutcome } from './run/event-outcome.js'
import type { BoundFunction, RunSetup } from './run/function-call.js'
import type { FunctionRun } from './run/function-run.js'
import { functionRuns } from './run/function-runs.js'
import { type FunctionStatus, functionStatus } from './run/function-status.js'
import { runFunction } from './run/run-function.js'
import { type ResolvedSchedule, resolveSchedule } from './schedule/schedule.js'
import { Scheduler } from './schedule/scheduler.js'
import { CallStore } from './suspension/call-store.js'
import { WaitSubscriptions } from './suspension/events/wait-subscriptions.js'
import { forgetCalls } from './suspension/forget-calls.js'
import { FunctionSuspensions } from './suspension/function-suspensions.js'
import { ResumeLinks } from './suspension/links/resume-links.js'
import { orderingOfCalls } from './suspension/ordering-of-calls.js'
import type { SuspensionCounts } from './suspension/suspension-counts.js'

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
  /** What each function did with its waits, by name. */
  suspensions: Record<string, SuspensionCounts>
  /** Settings of the host, in bytes. */
  limits: { maxRecordBytes: number }
}

interface Binding {
  /** What the next delivery runs; a reload replaces it. */
  bound: BoundFunction
  settings: SubscriptionSettings
  /** Undefined where it answers requests. */
  subscription: Subscription | undefined
  requests: RequestCounts
}

/** Why a function is paused. */
export interface PauseOptions {
  /** Shown with the function; cut to 200 characters. @default none */
  reason?: string | undefined
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
  /** Calls of functions that stand still. */
  readonly suspensions: FunctionSuspensions
  readonly #options: ResolvedHostOptions
  readonly #bindings = new Map<string, Binding>()
  #routes = new HttpRoutes([])
  readonly #scheduler: Scheduler
  readonly #waits: WaitSubscriptions
  readonly #links: ResumeLinks | undefined
  readonly #pauses: Pauses
  readonly #streaks: FailureStreaks
  /** Ends when the change under way has; they come one after the other. */
  #changing: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @throws FunctionsError `INVALID_OPTIONS` */
  constructor(options: FunctionHostOptions) {
    this.#options = parseOptions(hostSchema, options, 'FunctionHost')
    const { bus, clock, links } = this.#options
    this.#links = links && new ResumeLinks(links)
    this.suspensions = new FunctionSuspensions(bus, () => this.names, this.#links)
    this.#waits = new WaitSubscriptions(bus)
    this.#pauses = new Pauses({ bus, clock, onChange: (changes) => this.#pausesChanged(changes) })
    this.#scheduler = new Scheduler({ bus, clock, isPaused: (name) => this.#isPaused(name) })
    this.#streaks = new FailureStreaks({
      bus,
      limitOf: (name) => this.#bindings.get(name)?.bound.definition.pauseAfterFailures,
      onLimit: (name, reason) => {
        this.#pause(name, 'policy', reason).catch((error: unknown) => bus.emit('error', error))
      },
    })
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

  /** The functions that run: what starts each, and what it did in this process. */
  get functions(): FunctionStatus[] {
    return [...this.#bindings.values()].map(({ bound: { definition }, subscription, requests }) =>
      functionStatus(
        definition,
        subscription?.getStats() ?? { ...requests, deadLettered: 0 },
        this.#scheduler.nextAt(definition.name),
        this.#pauses.get(definition.name),
      ),
    )
  }

  /**
   * The paths that the builds of the functions that run looked at, found or not, and those of others.
   *
   * @param others such as functions that did not compile
   * @returns absolute paths: while nothing changes at any of them, another build gives the same
   */
  lookedAt(others: readonly FunctionDefinition[] = []): string[] {
    const { runtime } = this.#options
    return [...this.definitions, ...others].flatMap((definition) => {
      const path = pathOf(definition)
      const given = Object.values(definition.files ?? {}).map((file) => resolve(file))
      return path === undefined
        ? given
        : [...runtime.lookedAt(path, definition.importRoot), ...given]
    })
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
      if (!this.#bindings.has(name)) throw this.#notFound(name)
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
    const { bus } = this.#options
    const details = await bus.get(id, source)
    return details && functionRuns(bus, details.deliveries)
  }

  /**
   * Removes the data of an event, and what is kept of calls of functions that it began: a call that is suspended does not go
   * on; what its function would do in `finally` is not done. Cancel it before, where that matters.
   *
   * @returns false when the bus has no such event
   * @throws EventBusError as `EventBus.erase` does
   */
  async erase(query: EraseQuery): Promise<boolean> {
    const { bus } = this.#options
    const isThere = await bus.erase(query)
    const details = await bus.get(query.id, query.source)
    if (details) await forgetCalls(bus, details, query.reason)
    return isThere
  }

  /**
   * Publishes an event; with `wait` it resolves once every function that hears the event has ended, or the time is over.
   *
   * @throws EventBusError as `EventBus.publish` does
   *
   * @example
   * ```ts
   * const { runs } = await host.publish({ type: 'greet', data: 'Ada' }, { wait: true })
   * ```
   */
  async publish(
    event: EventInput,
    options: PublishOptions & { wait: true | WaitOptions },
  ): Promise<EventOutcome>
  /** The same; without `wait` it ends once the event is stored. */
  async publish(event: EventInput, options?: PublishOptions): Promise<EventReceipt>
  async publish(event: EventInput, options?: PublishOptions): Promise<EventReceipt> {
    return eventOutcome(await this.#options.bus.publish(event, options))
  }

  /**
   * Runs a function with this data, and waits until it has ended: it is retried as for any event. The invocation is an event of
   * the type `nexus.invoke.<name>`, as durable as all others; the function may run on another machine of the same bus.
   *
   * @param data the event's `data`
   * @throws FunctionsError `FUNCTION_NOT_FOUND` when neither this host nor another has run the function, `FUNCTION_PAUSED`,
   * `INVOKE_TIMEOUT`;
   * EventBusError when the bus refuses the event
   *
   * @example
   * ```ts
   * const { status, value } = await host.invoke('greet', 'Ada')
   * ```
   */
  async invoke(name: string, data?: unknown, options?: InvokeOptions): Promise<Invocation> {
    await this.#assertKnown(name)
    this.#assertRuns(name)
    return invokeFunction(this.#options.bus, name, data, options)
  }

  /**
   * Which function answers a request, and the methods that are answered at its path.
   *
   * @param path without what follows a `?`
   */
  route(method: string, path: string): { match: HttpMatch | undefined; methods: string[] } {
    const match = this.#routes.match(method, path)
    return { match, methods: match ? [method] : this.#routes.methodsAt(path) }
  }

  /**
   * Has the function that is bound to a request answer it. Who may ask is for the caller to check: `match.http.auth`.
   *
   * @param request its `signal` says that the answer is wanted no more
   * @param match what {@link route} found
   * @throws FunctionsError `FUNCTION_NOT_FOUND`, `FUNCTION_PAUSED`, or `FUNCTION_FAILED` when it failed before it answered; an error
   * of the body when it fails later
   *
   * @example
   * ```ts
   * const response = await host.fetch(new Request('http://shop.example/orders/7'))
   * ```
   */
  async fetch(
    request: Request,
    match: HttpMatch | undefined = this.route(request.method, new URL(request.url).pathname).match,
  ): Promise<Response> {
    const binding = match && this.#bindings.get(match.function)
    if (!binding) {
      throw new FunctionsError(
        'FUNCTION_NOT_FOUND',
        `no function answers ${request.method} ${new URL(request.url).pathname}`,
      )
    }
    this.#assertRuns(match.function)
    return countRequest(binding.requests, this.#setup(), (setup) =>
      answerRequest(binding.bound, match, request, setup),
    )
  }

  /**
   * Pauses a function on every process of the bus until it is resumed, also across restarts. Calls under way end; events wait;
   * firings of its schedule are missed. Other processes hear of it within a second.
   *
   * @returns the pause: the one before, where it was paused already
   * @throws FunctionsError `FUNCTION_NOT_FOUND` when neither this host nor another has run the function
   *
   * @example
   * ```ts
   * await host.pause('charge', { reason: 'the bank is down' })
   * await host.resume('charge')
   * ```
   */
  async pause(name: string, { reason }: PauseOptions = {}): Promise<FunctionPause> {
    await this.#assertKnown(name)
    return this.#pause(name, 'operator', reason)
  }

  /**
   * Lets a paused function take events again: first those that waited.
   *
   * @throws FunctionsError `FUNCTION_NOT_FOUND` when neither this host nor another has run the function
   */
  async resume(name: string): Promise<void> {
    await this.#pauses.load()
    if (!this.#isPaused(name)) await this.#assertKnown(name)
    await this.#pauses.set(name, undefined)
    await this.#changing
  }

  /**
   * Does something that stops this thread, in a moment in which no function runs: new events wait, and calls under way get
   * `drainTimeoutMs` to end.
   *
   * @param work does its part before it returns
   * @throws FunctionsError `FUNCTIONS_BUSY` when calls do not end in time, `CLOSED`
   */
  whileIdle<T>(
    work: () => T,
    { drainTimeoutMs = 10_000 }: { drainTimeoutMs?: number } = {},
  ): Promise<T> {
    const done = this.#changing.then(() => {
      if (this.#closing) throw new FunctionsError('CLOSED', 'the function host was closed')
      const subscriptions = [...this.#bindings.values()]
        .filter(({ bound }) => !this.#isPaused(bound.definition.name))
        .flatMap(({ subscription }) => subscription ?? [])
      return quiesce(subscriptions, work, drainTimeoutMs)
    })
    this.#changing = done.then(
      () => {},
      () => {},
    )
    return done
  }

  /** Figures of the functions that run now. */
  getStats(): FunctionHostStats {
    return {
      functions: [...this.#bindings.values()].flatMap(
        ({ subscription }) => subscription?.getStats() ?? [],
      ),
      suspensions: Object.fromEntries(
        [...this.#bindings].map(([name, { bound }]) => [name, { ...bound.calls.counts }]),
      ),
      limits: { maxRecordBytes: this.#options.maxRecordBytes },
    }
  }

  /**
   * Stops all functions. Calls that are under way get `drainTimeoutMs` to end; events that were not done go to another
   * process, or to this one after its next start.
   */
  close({ drainTimeoutMs = 10_000 }: { drainTimeoutMs?: number } = {}): Promise<void> {
    this.#pauses.close()
    this.#streaks.close()
    this.#closing ??= this.#changing.then(async () => {
      await this.#scheduler.close()
      const bindings = [...this.#bindings.values()]
      this.#bindings.clear()
      await Promise.all([
        this.#waits.close({ drainTimeoutMs }),
        ...bindings.map(({ subscription }) => subscription?.close({ drainTimeoutMs })),
      ])
    })
    return this.#closing
  }

  /** {@link close}, by the name that other classes have it under. */
  shutdown(options?: { drainTimeoutMs?: number }): Promise<void> {
    return this.close(options)
  }

  /** See {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #notFound(name: string): FunctionsError {
    const known = this.names.join(', ') || 'none'
    return new FunctionsError(
      'FUNCTION_NOT_FOUND',
      `no function ${name} runs here; bound are: ${known}`,
    )
  }

  async #assertKnown(name: string): Promise<void> {
    if (!this.#bindings.has(name) && !(await this.#hasGroup(name))) throw this.#notFound(name)
  }

  #assertRuns(name: string): void {
    if (!this.#isPaused(name)) return
    throw new FunctionsError(
      'FUNCTION_PAUSED',
      `function ${name} is paused and takes no invocations; resume it first`,
    )
  }

  #setup(): RunSetup {
    const invoke: Invoke = (name, data, options) => this.invoke(name, data, options)
    return { ...this.#options, links: this.#links, invoke }
  }

  #isPaused(name: string): boolean {
    return this.#pauses.get(name) !== undefined
  }

  async #pause(
    name: string,
    by: FunctionPause['by'],
    reason: string | undefined,
  ): Promise<FunctionPause> {
    await this.#pauses.load()
    const pause = {
      at: new Date(this.#options.clock.now()).toISOString(),
      by,
      ...(reason !== undefined && { reason: reason.slice(0, 200) }),
    }
    await this.#pauses.set(name, pause)
    await this.#changing
    return this.#pauses.get(name) ?? pause
  }

  /** Comes after a change of the functions under way, and after what has to be done while none runs. */
  #pausesChanged(changes: readonly FunctionPauseChange[]): void {
    const applied = this.#changing.then(() => {
      for (const change of changes) {
        const subscription = this.#bindings.get(change.function)?.subscription
        if (this.#isPaused(change.function)) subscription?.pause()
        else subscription?.resume()
        this.#streaks.forget(change.function)
        this.#tell(change)
      }
    })
    this.#changing = applied
  }

  #tell(change: FunctionPauseChange): void {
    logPauseChange(this.#options.logger, change)
    try {
      this.#options.onPauseChange?.(change)
    } catch {
      // A listener that fails changes nothing.
    }
  }

  /** Whether a function runs elsewhere, or ran and will again. */
  async #hasGroup(name: string): Promise<boolean> {
    const { store } = await this.#options.bus.getStats()
    const invocations = invocationType(name)
    return store.groups.some(
      ({ group, patterns }) => group === name && patterns.includes(invocations),
    )
  }

  #compiled(): CompiledFunction[] {
    return [...this.#bindings.values()].map(({ bound }) => bound.definition)
  }

  #change(wanted: () => readonly FunctionDefinition[]): Promise<void> {
    const changed = this.#changing.then(async () => {
      if (this.#closing) throw new FunctionsError('CLOSED', 'the function host was closed')
      await this.#apply(await compileFunctions(wanted(), this.#options.runtime, this.#options))
    })
    this.#changing = changed.catch(() => {})
    return changed
  }

  async #apply(functions: readonly CompiledFunction[]): Promise<void> {
    await this.#pauses.load()
    const wanted = new Map(functions.map((definition) => [definition.name, definition]))
    for (const [name, binding] of this.#bindings) {
      const definition = wanted.get(name)
      const same =
        definition && sameSettings(binding.settings, subscriptionSettings(definition, functions))
      if (same) {
        binding.bound = boundFunction(definition, binding.bound.calls)
        wanted.delete(name)
      } else {
        this.#bindings.delete(name)
        await binding.subscription?.close()
      }
    }
    // Before a call can wait for what would be missed.
    await this.#waits.set(functions.filter(({ http }) => http === undefined))
    for (const [name, definition] of wanted) {
      const settings = subscriptionSettings(definition, functions)
      this.#bindings.set(name, this.#subscribe(definition, settings))
    }
    await Promise.all([...this.#bindings.values()].map(({ subscription }) => subscription?.ready))
    this.#routes = new HttpRoutes(functions)
    // A firing finds its group there.
    await this.#scheduler.set(schedulesOf(functions))
  }

  #subscribe(definition: CompiledFunction, settings: SubscriptionSettings): Binding {
    const { bus } = this.#options
    const setup = this.#setup()
    const requests = { running: 0, succeeded: 0, failed: 0 }
    const bound = boundFunction(definition, new CallStore(bus, definition.name))
    if (definition.http) return { bound, settings, subscription: undefined, requests }
    const subscription = bus.subscribe(
      settings.patterns,
      (delivery) => runFunction(binding.bound, delivery, setup),
      {
        ...settings.options,
        ...orderingOfCalls(definition),
        group: definition.name,
        onDeadLetter: (letter) => deadLetterEventsOf(binding.bound.definition, letter),
      },
    )
    const binding: Binding = { bound, settings, subscription, requests }
    // It takes nothing before the group is open.
    if (this.#isPaused(definition.name)) subscription.pause()
    return binding
  }
}

function schedulesOf(functions: readonly FunctionDefinition[]): Map<string, ResolvedSchedule> {
  return new Map(
    functions.flatMap(({ name, schedule }) =>
      schedule === undefined ? [] : [[name, resolveSchedule(schedule)] as const],
    ),
  )
}

function deadLetterEventsOf({ onFailure }: FunctionDefinition, letter: FailedDelivery) {
  return onFailure === undefined ? [] : [deadLetterEvent(letter)]
}

function withoutCompiled(definition: CompiledFunction): FunctionDefinition {
  if (definition.file === undefined) return definition
  const { compiled: _, ...rest } = definition
  return rest
}
