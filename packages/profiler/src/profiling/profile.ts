import type { HeapProfiler, Profiler } from 'node:inspector'
import {
  type CallNode,
  cpuCallTree,
  type FunctionCost,
  heapCallTree,
  topFunctions,
} from './call-tree.js'
import { renderFlameGraph } from './flame-graph.js'
import { encodePprof } from './pprof.js'

/** When and how a profile was taken. */
export interface ProfileTiming {
  /** In milliseconds since the epoch. */
  startedMs: number
  /** How long it took, in milliseconds. */
  durationMs: number
  /** Distance between two samples: microseconds of a CPU profile, bytes of a heap profile. */
  samplingInterval: number
}

/** Where CPU time or memory went, in the formats people open. */
export abstract class Profile<Raw> {
  /** What was profiled. */
  abstract readonly kind: 'cpu' | 'heap'
  /** File name extension of {@link toJSON}, which Chrome's and VS Code's developer tools open. */
  abstract readonly extension: '.cpuprofile' | '.heapprofile'
  /** What the numbers are, as pprof names it. @internal */
  protected abstract readonly valueType: string
  /** Unit of the numbers. @internal */
  protected abstract readonly unit: 'microseconds' | 'bytes'

  protected constructor(
    /** @internal */
    protected readonly raw: Raw,
    /** The calls, each with what it cost. */
    readonly callTree: CallNode,
    /** When and how it was taken. */
    readonly timing: ProfileTiming,
  ) {}

  /** The profile as V8 wrote it. */
  toJSON(): Raw {
    return this.raw
  }

  /** The profile for `go tool pprof`, gzipped. */
  toPprof(): Buffer {
    return encodePprof(this.callTree, {
      type: this.valueType,
      unit: this.unit,
      period: this.timing.samplingInterval,
      startedMs: this.timing.startedMs,
      durationMs: this.timing.durationMs,
    })
  }

  /** A flame graph as one self-contained HTML page. */
  toFlameGraph(title: string): string {
    return renderFlameGraph(this.callTree, {
      title,
      unit: this.unit === 'bytes' ? 'bytes' : 'µs',
    })
  }

  /**
   * The functions that cost most by themselves.
   *
   * @param limit 10 when left out
   */
  topFunctions(limit = 10): FunctionCost[] {
    return topFunctions(this.callTree, limit)
  }
}

/** Where CPU time went, in microseconds. */
export class CpuProfile extends Profile<Profiler.Profile> {
  /** What was profiled. */
  readonly kind = 'cpu'
  /** File name extension of {@link toJSON}. */
  readonly extension = '.cpuprofile'
  /** @internal */
  protected readonly valueType = 'cpu'
  /** @internal */
  protected readonly unit = 'microseconds'

  constructor(raw: Profiler.Profile, timing: ProfileTiming) {
    super(raw, cpuCallTree(raw), timing)
  }
}

/** Where the memory that is still in use was allocated, in bytes. */
export class HeapProfile extends Profile<HeapProfiler.SamplingHeapProfile> {
  /** What was profiled. */
  readonly kind = 'heap'
  /** File name extension of {@link toJSON}. */
  readonly extension = '.heapprofile'
  /** @internal */
  protected readonly valueType = 'inuse_space'
  /** @internal */
  protected readonly unit = 'bytes'

  constructor(raw: HeapProfiler.SamplingHeapProfile, timing: ProfileTiming) {
    super(raw, heapCallTree(raw), timing)
  }
}
