/** Writes a line to the call's log; `fields` is anything that JSON can hold. */
export type LogFunction = (message: string, fields?: unknown) => void

/** What a handler is given in addition to the event. */
export interface HandlerApi {
  /** The name the function has in `nexus.yaml`, if it has one. */
  readonly functionName: string | undefined
  /** 1 for the first delivery of the event, 2 for the first retry. */
  readonly attempt: number
  /** The environment variables that were granted, and no others. */
  readonly env: Readonly<Record<string, string>>
  /** The secrets that were granted, and no others; their values are taken out of log lines and errors. */
  readonly secrets: Readonly<Record<string, string>>
  /**
   * Aborts shortly before the call is stopped: a tenth of its time limit, at most 100 ms. It is
   * there when the handler's code names it.
   */
  readonly signal: AbortSignal
  /** When the call is stopped, in milliseconds since the epoch. */
  readonly deadline: number
  /** Writes to the call's log, up to `maxLogBytes`. */
  readonly log: {
    /** A line for those who look for a mistake. */
    debug: LogFunction
    /** A line about what happened. */
    info: LogFunction
    /** A line about something that may be wrong. */
    warn: LogFunction
    /** A line about something that failed. */
    error: LogFunction
  }
  /**
   * Emits an event when the call succeeds. Needs the capability `events:emit:<type>`.
   *
   * @param attributes CloudEvents attributes such as `subject`
   */
  emit(type: string, data?: unknown, attributes?: Record<string, unknown>): Promise<void>
  /**
   * Runs another function with this data, and waits for what it returns, within the time limit of this call. Needs the
   * capability `invoke:<name>`. A retry of this call gets the outcome again, and does not run the function again.
   */
  invoke(name: string, data?: unknown): Promise<unknown>
  /**
   * Waits, for days if need be, until the program resumes the call with a value or an error. When the handler waits for
   * nothing else, its sandbox is frozen and stored, and goes on where it stood, in whatever process resumes it. Timers
   * stand still meanwhile.
   *
   * @param name what is waited for, such as `approval`
   * @param data for those who resume it; crosses as JSON
   * @param options `timeoutMs`, after which the wait fails with an error whose `code` is `TIMEOUT`
   */
  suspend(name: string, data?: unknown, options?: { timeoutMs?: number }): Promise<unknown>
  /**
   * A link that a mail can carry: it opens a page, and a click there resumes the next `suspend` of this name, once. It lasts as
   * long as that waits. Ask for it before you suspend. Fails where the program makes no links.
   *
   * @param value what `suspend` then gives; crosses as JSON of some hundred bytes
   */
  resumeUrl(name: string, value?: unknown): Promise<string>
  /** The same until a time: a number of milliseconds from now, or a date. */
  sleep(until: number | Date): Promise<void>
  /**
   * The same until an event comes that is stored from now on, and gives that event. Needs the capability
   * `events:wait:<pattern>`.
   *
   * @param pattern of its type: `*` is one token, a last `>` is the rest
   * @param options `match`, what the event must say: up to 16 paths such as `data.orderId`, and a string, number, boolean or
   *   null for each; `timeoutMs`, after which the wait fails with an error whose `code` is `TIMEOUT`
   */
  waitFor<Event = unknown>(
    pattern: string,
    options?: {
      match?: Readonly<Record<string, string | number | boolean | null>>
      timeoutMs?: number
    },
  ): Promise<Event>
  /**
   * Calls a host function. Needs the capability `ext:<name>`.
   *
   * In addition to JSON: undefined, BigInt, Date, Map, Set, typed arrays, errors and cycles cross.
   */
  call(name: string, method: string, ...args: unknown[]): Promise<unknown>
}

/**
 * The default export of a handler's module.
 *
 * @example
 * ```ts
 * export default (async (event, ctx) => {
 *   ctx.log.info('got', { id: event.id })
 *   return { ok: true }
 * }) satisfies Handler<{ id: string }>
 * ```
 */
export type Handler<Event = unknown, Result = unknown> = (
  event: Event,
  ctx: HandlerApi,
) => Result | Promise<Result>

/**
 * The default export of the module of a function with `http`.
 *
 * @example
 * ```ts
 * export default (async (request, ctx) => Response.json({ id: ctx.params.id })) satisfies RequestHandler
 * ```
 */
export type RequestHandler = (
  request: Request,
  ctx: HandlerApi & {
    /** What stands in the path for its parameters, `*` for the rest. */
    readonly params: Readonly<Record<string, string>>
  },
) => Response | Promise<Response>
