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
