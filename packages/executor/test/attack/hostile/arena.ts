import { availableParallelism, loadavg } from 'node:os'
import { HandlerCompiler } from '@nexus/compile-cache'
import {
  type CallOptions,
  type ExecutionResult,
  type HandlerContext,
  WasmRuntime,
  type WasmRuntimeOptions,
} from '@nexus/executor'
import { expect } from 'vitest'
import { hostFingerprint, INNOCENT } from './fingerprint.js'
import { endingsOf, FINGERPRINT_EVENT, type HostileProgram, sourceOf } from './program.js'

const MiB = 1024 * 1024
/** The limit of programs that are meant to reach it, and of all others. */
const SHORT_LIMIT_MS = 120
const LONG_LIMIT_MS = 3000
/** Milliseconds that a call may take over its limit. */
const GRACE_MS = 100
/** Machines stall: a program overruns when every one of these attempts did. */
const ATTEMPTS = 3

interface Overrun {
  program: string
  limitMs: number
  tookMs: number[]
}

/** One runtime against all programs, each followed by the calls that it must not have harmed. */
export class Arena {
  readonly overruns: Overrun[] = []
  readonly #compiler = new HandlerCompiler({ cacheDir: false })
  readonly #runtime: WasmRuntime
  readonly #host = hostFingerprint()
  #pristine: unknown

  constructor(options: WasmRuntimeOptions & { threads: number }) {
    this.#runtime = new WasmRuntime({
      // Every call gets the instance that the one before left.
      maxInstances: 1,
      memoryLimitBytes: 8 * MiB,
      compiler: this.#compiler,
      ...options,
    })
    this.#runtime.extend('host', {
      echo: (value: unknown) => value,
      never: () => new Promise(() => {}),
      fail: () => {
        throw Object.assign(new Error('the host says no'), { code: 'E_HOST' })
      },
    })
  }

  async open(): Promise<void> {
    const { globals } = await this.#callInnocent()
    this.#pristine = globals
  }

  async close(): Promise<void> {
    await this.#runtime.shutdown()
    await this.#compiler.close()
  }

  /** Runs the program, then looks at what it left behind. */
  async face(program: HostileProgram): Promise<void> {
    // The names in a program decide which parts of the platform it has: its own globals are what it must leave as they were.
    const before = program.handler === undefined ? undefined : await this.#globalsOf(program)
    const first = await this.#attackInTime(program)
    this.#judge(program, first)
    if (before !== undefined) {
      expect(await this.#globalsOf(program)).toEqual(before)
    }
    // A program that ran into its limit would only do so again.
    if (first.error?.code !== 'TIMEOUT') this.#judge(program, await this.#attack(program))

    const innocent = await this.#callInnocent()
    expect(innocent).toEqual({ calls: 1, doubled: 42, echo: 21, globals: this.#pristine })
    expect(hostFingerprint()).toBe(this.#host)
  }

  async #globalsOf(program: HostileProgram): Promise<unknown> {
    const { value, error } = await this.#call(
      program,
      { event: FINGERPRINT_EVENT },
      { timeoutMs: LONG_LIMIT_MS },
    )
    expect(error).toBeUndefined()
    return value
  }

  async #attackInTime(program: HostileProgram): Promise<ExecutionResult> {
    const limitMs = limitOf(program)
    const tookMs: number[] = []
    for (;;) {
      const startedAt = performance.now()
      const result = await this.#attack(program)
      tookMs.push(Math.round(performance.now() - startedAt))
      const inTime = tookMs.at(-1)! <= limitMs + GRACE_MS
      if (!inTime && tookMs.length < ATTEMPTS) continue
      if (tookMs.length > 1) this.overruns.push({ program: program.name, limitMs, tookMs })
      const graceMs = Math.round(GRACE_MS * overload())
      expect(
        Math.min(...tookMs),
        `took ${tookMs} ms, of ${limitMs} ms + ${graceMs} ms`,
      ).toBeLessThanOrEqual(limitMs + graceMs)
      return result
    }
  }

  #attack(program: HostileProgram): Promise<ExecutionResult> {
    const limits = { ...program.limits, timeoutMs: limitOf(program) }
    return this.#call(program, { event: { n: 1 }, ...program.context }, limits)
  }

  async #call(
    program: HostileProgram,
    context: HandlerContext,
    limits: CallOptions,
  ): Promise<ExecutionResult> {
    const source = sourceOf(program)
    await this.#compiler.compile(source).catch(() => {})
    return this.#runtime.executeHandler(source, context, limits)
  }

  #judge(program: HostileProgram, result: ExecutionResult): void {
    const { status, error } = result
    const ending = error?.code ?? status
    expect(endingsOf(program), `${ending}: ${error?.name}: ${error?.message}`).toContain(ending)
    if ('value' in program) expect(result.value).toEqual(program.value)
    program.verify?.(result)
  }

  async #callInnocent(): Promise<{ globals: unknown }> {
    const { value, error, events, logs } = await this.#runtime.executeHandler<{ globals: unknown }>(
      INNOCENT,
      { event: { n: 21 }, capabilities: ['events:emit:innocent.*', 'ext:host'] },
      LONG_LIMIT_MS,
    )
    expect(error).toBeUndefined()
    expect(events).toEqual([{ type: 'innocent.done', data: { n: 21 } }])
    expect(logs.map(({ message, fields }) => ({ message, fields }))).toEqual([
      { message: 'innocent', fields: { n: 21 } },
    ])
    return value!
  }
}

/** How many times longer everything takes here because more wants to run than there are processors. */
function overload(): number {
  return Math.max(1, loadavg()[0]! / availableParallelism())
}

function limitOf(program: HostileProgram): number {
  const isShort = endingsOf(program).includes('TIMEOUT')
  return program.limits?.timeoutMs ?? (isShort ? SHORT_LIMIT_MS : LONG_LIMIT_MS)
}
