import type { ThreadProfile, WasmRuntime } from '@nexus/executor'
import { FunctionsError } from '../errors.js'
import type { Tracing } from '../otel/tracing.js'
import type { FunctionAttempt } from '../run/function-attempt.js'
import { CallWindow, type FunctionCallFigures, type ProfiledFunction } from './call-window.js'
import { type SandboxSources, sandboxSources } from './sandbox-sources.js'
import { type SandboxTotals, sandboxTotals } from './sandbox-totals.js'

/** What is asked of the profiler of the process; `profileProcess` of `@nexus/profiler` takes it. */
export interface ProcessRecording {
  /** How long to record, in milliseconds. */
  durationMs: number
  /** Samples memory as well. */
  heap: boolean
  /** Gives the profile up: nothing is reported. */
  signal: AbortSignal
  /** Ends the profile early: what was recorded until then is reported. */
  endSignal: AbortSignal
  /** Figures of the sandbox and of the functions, for what the profile suggests. */
  sources: SandboxSources & { functions(): Record<string, FunctionCallFigures> }
  /** Profiles the threads of the sandbox too. */
  threads: { start(): void; stop(): Promise<readonly ThreadProfile[]> }
}

/** Options of {@link FunctionProfiler}. */
export interface FunctionProfilerOptions<Process extends object> {
  /** Runs the functions. */
  runtime: WasmRuntime
  /** Profiles the process: `profileProcess` of `@nexus/profiler`. It is called for each profile, so it may load that package. */
  profileProcess(recording: ProcessRecording): Promise<Process>
  /** Makes each profile a span, with `createTracing` of `@nexus/functions/otel`. @default none */
  tracing?: Tracing | undefined
}

/** A profile to take. */
export interface FunctionProfileRequest {
  /** How long to record, in milliseconds. */
  durationMs: number
  /** Report only this function. @default all that were called */
  functionName?: string | undefined
  /** Samples the memory that the process allocates as well. @default false */
  heap?: boolean | undefined
  /** Gives the profile up: `profile` rejects with its reason. */
  signal: AbortSignal
}

/** What the sandbox did while a profile was taken; `instances` and `memoryBytes` are those at the end. */
export interface SandboxActivity {
  /** Look-ups of compiled code that the cache answered. */
  cacheHits: number
  /** Sources that had to be compiled. */
  compiled: number
  /** Entries that the cache removed for space. */
  evictions: number
  /** Instances set back to their pristine state. */
  rewinds: number
  /** Instances thrown away. */
  discards: number
  /** Threads that were ended at a hard deadline. */
  threadKills: number
  /** Instances of all threads. */
  instances: number
  /** Memory of these instances. */
  memoryBytes: number
}

/** The profile of the process, and what functions and sandbox did meanwhile. */
export type FunctionProfile<Process extends object> = Process & {
  /** The functions that were called, by time, most first. */
  functions: ProfiledFunction[]
  /** What the sandbox did meanwhile. */
  sandbox: SandboxActivity
}

/**
 * Profiles functions while they serve, together with the process and the threads that run them. One profile is taken at a
 * time.
 *
 * @example
 * ```ts
 * import { profileProcess } from '@nexus/profiler'
 *
 * const profiler = new FunctionProfiler({ runtime, profileProcess })
 * const host = new FunctionHost({ bus, runtime, onAttempt: (attempt) => profiler.record(attempt) })
 * const { functions } = await profiler.profile({ durationMs: 10_000, signal: AbortSignal.timeout(30_000) })
 * ```
 */
export class FunctionProfiler<Process extends object> {
  readonly #options: FunctionProfilerOptions<Process>
  readonly #closing = new AbortController()
  #window: CallWindow | undefined

  constructor(options: FunctionProfilerOptions<Process>) {
    this.#options = options
  }

  /** Whether a profile is being taken. */
  get busy(): boolean {
    return this.#window !== undefined
  }

  /** Called after every attempt that ended; costs nothing while no profile is taken. */
  record({ function: name, metrics, status }: FunctionAttempt): void {
    if (metrics) this.#window?.add(name, metrics, status === 'error')
  }

  /**
   * Profiles for `durationMs`, or until {@link close}.
   *
   * @throws FunctionsError `PROFILE_IN_PROGRESS` while another is taken; what `signal` was aborted with
   */
  async profile(request: FunctionProfileRequest): Promise<FunctionProfile<Process>> {
    const { durationMs, heap = false } = request
    const { tracing } = this.#options
    const take = () => this.#take(request)
    return tracing ? tracing.profile({ durationMs, heap }, take) : take()
  }

  async #take(request: FunctionProfileRequest): Promise<FunctionProfile<Process>> {
    if (this.#window !== undefined) {
      throw new FunctionsError(
        'PROFILE_IN_PROGRESS',
        'a profile is being taken; take the next one when it has ended',
      )
    }
    const window = new CallWindow()
    this.#window = window
    const { runtime, profileProcess } = this.#options
    const { durationMs, functionName, heap = false, signal } = request
    const before = sandboxTotals(runtime.getStats())
    try {
      const taken = await profileProcess({
        ...{ durationMs, heap, signal },
        endSignal: this.#closing.signal,
        sources: { ...sandboxSources(runtime), functions: () => window.figures() },
        threads: {
          start: () => runtime.startThreadProfiles(),
          stop: () => runtime.stopThreadProfiles(),
        },
      })
      return {
        ...taken,
        functions: window
          .functions()
          .filter((entry) => functionName === undefined || entry.function === functionName),
        sandbox: activityBetween(before, sandboxTotals(runtime.getStats())),
      }
    } finally {
      this.#window = undefined
    }
  }

  /** Ends a profile that is being taken: it reports what it has. */
  close(): void {
    this.#closing.abort()
  }
}

function activityBetween(before: SandboxTotals, after: SandboxTotals): SandboxActivity {
  const during = (figure: Exclude<keyof SandboxTotals, 'instances'>) =>
    after[figure] - before[figure]
  return {
    cacheHits: during('cacheHits'),
    compiled: during('compiled'),
    evictions: during('evictions'),
    rewinds: during('rewinds'),
    discards: during('discards'),
    threadKills: during('threadKills'),
    instances: after.instances.active + after.instances.available,
    memoryBytes: after.instances.memoryBytes,
  }
}
