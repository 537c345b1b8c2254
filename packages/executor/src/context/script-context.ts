import type { CallRunner } from '../call/call-runner.js'
import type { HandlerContext } from '../call/handler-context.js'
import { ExecutorError } from '../errors.js'
import type { FrozenSandbox } from '../freeze/frozen-sandbox.js'
import { type GivenGlobals, givenGlobals } from '../host/given-globals.js'
import { type CallOptions, type ResolvedCallOptions, resolveCallOptions } from '../options.js'
import type { ExecutionResult } from '../result/execution-result.js'

/** What a {@link ScriptContext} works with. */
export interface ScriptContextParts {
  /** The name under which its scripts are scheduled. */
  readonly key: string
  readonly context: HandlerContext
  readonly limits: ResolvedCallOptions
  readonly calls: CallRunner
  /** Accepts a script, so that a shutdown waits for it. */
  accept<T>(work: () => Promise<T>): Promise<T>
}

/** Figures of a {@link ScriptContext}, read now. */
export interface ScriptContextStats {
  /** Scripts that ended, and how many of them failed. */
  evaluations: { total: number; failed: number }
  /** Scripts that run or wait for their turn. */
  waiting: number
  /** What the context holds between two scripts, in bytes. */
  imageBytes: number
  /** The limits of each script. */
  limits: Omit<ResolvedCallOptions, 'isolation'>
}

/**
 * Scripts that share their globals, as in a REPL: made by `WasmRuntime.createContext`. Between two scripts it is frozen and
 * costs what its image holds, and no sandbox.
 *
 * @example
 * ```ts
 * await using context = runtime.createContext({ globals: { rate: 0.2 } })
 * await context.evaluate('let total = 100')
 * const { value } = await context.evaluate('total *= 1 + rate') // 120
 * ```
 */
export class ScriptContext {
  readonly #parts: ScriptContextParts
  readonly #globals: GivenGlobals | undefined
  #sandbox: FrozenSandbox | undefined
  #last: Promise<unknown> = Promise.resolve()
  #count = 0
  #total = 0
  #failed = 0
  #waiting = 0
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(parts: ScriptContextParts) {
    this.#parts = parts
    const { globals } = parts.context
    this.#globals = globals && givenGlobals(globals)
  }

  /**
   * Runs a script after those that were handed over before it.
   *
   * @param script JavaScript without imports and exports, in sloppy mode; `await` may stand outside of functions. What it
   *   declares is there for the scripts after it, also where it throws in the end. A script that is stopped by a limit of
   *   time, memory or stack leaves nothing: the context stays what it was before
   * @param options the time limit in milliseconds, or limits of this script alone
   * @returns as value what the last expression gives, or the promise that it gives resolves to; its timers and host calls
   *   that are still open then are dropped
   * @throws {@link ExecutorError} `INVALID_OPTIONS` when the arguments are wrong, `CONTEXT_CLOSED`, `SHUT_DOWN`
   */
  async evaluate<Value = unknown>(
    script: string,
    options?: number | Omit<CallOptions, 'isolation'>,
  ): Promise<ExecutionResult<Value>> {
    const { limits: defaults, accept } = this.#parts
    if (this.#closed) {
      throw new ExecutorError('CONTEXT_CLOSED', 'The context is closed: create another one')
    }
    if (typeof script !== 'string') {
      const got = script === null ? 'null' : typeof script
      throw new ExecutorError('INVALID_OPTIONS', `Expected the script as a string, got ${got}`)
    }
    if (typeof options === 'object' && 'isolation' in options) {
      throw new ExecutorError('INVALID_OPTIONS', 'isolation: the scripts of a context share state')
    }
    const limits = resolveCallOptions(options, defaults)
    return accept(() => {
      this.#waiting++
      const ended = this.#last.then(() => this.#evaluate<Value>(script, limits))
      this.#last = ended.catch(() => {})
      return ended
    })
  }

  /** Counts, the size of the image and the limits, read now. */
  getStats(): ScriptContextStats {
    const { isolation: _, ...limits } = this.#parts.limits
    return {
      evaluations: { total: this.#total, failed: this.#failed },
      waiting: this.#waiting,
      imageBytes: this.#sandbox?.memory.byteLength ?? 0,
      limits,
    }
  }

  /** Refuses new scripts, lets those that were handed over finish, and drops what they left. */
  close(): Promise<void> {
    this.#closed ??= this.#last.then(() => {
      this.#sandbox = undefined
    })
    return this.#closed
  }

  /** See {@link close}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #evaluate<Value>(
    script: string,
    limits: ResolvedCallOptions,
  ): Promise<ExecutionResult<Value>> {
    const { calls, key, context } = this.#parts
    const filename = `<input ${++this.#count}>`
    const evaluation = { script, filename, sandbox: this.#sandbox }
    try {
      const { result, sandbox } = await calls.evaluate<Value>(
        key,
        evaluation,
        context,
        limits,
        this.#globals,
      )
      this.#sandbox = sandbox ?? this.#sandbox
      this.#total++
      if (result.error) this.#failed++
      return result
    } finally {
      this.#waiting--
    }
  }
}
