import { Session } from 'node:inspector/promises'
import { ProfilingAlreadyInProgressError, ProfilingNotStartedError } from '../errors.js'
import { CpuProfile, HeapProfile } from './profile.js'

/** What to profile, and how finely. */
export interface ProfilingOptions {
  /**
   * Whether to sample what the CPU does.
   * @default true
   */
  cpu?: boolean | undefined
  /**
   * Whether to sample what is allocated.
   * @default false
   */
  heap?: boolean | undefined
  /**
   * Time between two samples of the CPU, in microseconds. 1,000 shows more of a short profile and costs a
   * server about 7 % of its CPU time.
   * @default 5_000
   */
  samplingIntervalUs?: number | undefined
  /**
   * Bytes allocated between two samples of the heap, on average.
   * @default 32_768
   */
  heapSamplingIntervalBytes?: number | undefined
}

/** What a client needs of a tracer; those of `@opentelemetry/api` have it. */
export interface ProfileTracer {
  /** Begins a span, which its `end()` ends. */
  startSpan(
    name: string,
    options?: { attributes?: Record<string, string | number | boolean> },
  ): { end(): void }
}

/** Profiling options with every default filled in. */
export interface ResolvedProfilingOptions {
  cpu: boolean
  heap: boolean
  samplingIntervalUs: number
  heapSamplingIntervalBytes: number
}

/** What was recorded. */
export interface RecordedProfiles {
  startedMs: number
  durationMs: number
  cpu: CpuProfile | undefined
  heap: HeapProfile | undefined
}

interface Recording {
  session: Session
  options: ResolvedProfilingOptions
  startedMs: number
  startedAt: number
  span: { end(): void } | undefined
  /** Ends a recording that is not stopped. */
  timer: NodeJS.Timeout
  finished: Promise<RecordedProfiles> | undefined
}

/** Takes profiles of this thread through the inspector, one at a time. */
export class ProfileRecorder {
  readonly #maxMs: number
  readonly #tracer: ProfileTracer | undefined
  #recording: Recording | undefined

  constructor(maxMs: number, tracer: ProfileTracer | undefined) {
    this.#maxMs = maxMs
    this.#tracer = tracer
  }

  get isRecording(): boolean {
    return this.#recording !== undefined
  }

  /** @throws {@link ProfilingAlreadyInProgressError} */
  async start(options: ResolvedProfilingOptions, nowMs: number): Promise<void> {
    if (this.#recording) throw new ProfilingAlreadyInProgressError()
    const session = new Session()
    session.connect()
    const recording: Recording = {
      session,
      options,
      startedMs: nowMs,
      startedAt: performance.now(),
      span: this.#tracer?.startSpan('profile', {
        attributes: { 'nexus.profile.cpu': options.cpu, 'nexus.profile.heap': options.heap },
      }),
      timer: setTimeout(() => this.#finish(recording), this.#maxMs),
      finished: undefined,
    }
    recording.timer.unref()
    this.#recording = recording
    try {
      await begin(recording)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** @throws {@link ProfilingNotStartedError} */
  async stop(): Promise<RecordedProfiles> {
    const recording = this.#recording
    if (!recording) throw new ProfilingNotStartedError()
    this.#recording = undefined
    return this.#finish(recording)
  }

  /** Drops a recording that is under way. */
  close(): void {
    if (!this.#recording) return
    clearTimeout(this.#recording.timer)
    this.#recording.session.disconnect()
    if (!this.#recording.finished) this.#recording.span?.end()
    this.#recording = undefined
  }

  #finish(recording: Recording): Promise<RecordedProfiles> {
    recording.finished ??= collect(recording)
    return recording.finished
  }
}

async function begin({ session, options }: Recording): Promise<void> {
  if (options.heap) {
    await session.post('HeapProfiler.enable')
    const samplingInterval = options.heapSamplingIntervalBytes
    await session.post('HeapProfiler.startSampling', { samplingInterval })
  }
  if (options.cpu) {
    await session.post('Profiler.enable')
    const interval = options.samplingIntervalUs
    await session.post('Profiler.setSamplingInterval', { interval })
    await session.post('Profiler.start')
  }
}

async function collect(recording: Recording): Promise<RecordedProfiles> {
  const { session, options, startedMs, startedAt, span, timer } = recording
  clearTimeout(timer)
  span?.end()
  const cpu = options.cpu ? await session.post('Profiler.stop') : undefined
  const heap = options.heap ? await session.post('HeapProfiler.stopSampling') : undefined
  session.disconnect()
  const durationMs = performance.now() - startedAt
  const timing = (samplingInterval: number) => ({ startedMs, durationMs, samplingInterval })
  return {
    startedMs,
    durationMs,
    cpu: cpu && new CpuProfile(cpu.profile, timing(options.samplingIntervalUs)),
    heap: heap && new HeapProfile(heap.profile, timing(options.heapSamplingIntervalBytes)),
  }
}
