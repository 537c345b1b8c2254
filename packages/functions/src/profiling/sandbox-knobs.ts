import type { WasmRuntime } from '@nexus/executor'

/** A setting of the sandbox that can be changed while it runs: a knob, as `registerKnob` of `@nexus/profiler` takes it. */
export interface SandboxKnob {
  /** The id under which the rules of `@nexus/profiler` know it. */
  id: string
  /** Such as `bytes`. */
  unit: string
  /** The smallest value that it may be set to. */
  min: number
  /** The largest value that it may be set to. */
  max: number
  /** Returns the current value. */
  read(): number
  /** Sets the value. */
  write(value: number): void | Promise<void>
}

/** Whose settings {@link sandboxKnobs} changes. */
export interface SandboxKnobParts {
  /** Has how many handlers and instances each thread keeps. */
  runtime: WasmRuntime
  /** The `HandlerCompiler` of the runtime: has how many bytes of compiled code stay in memory. */
  compiler: {
    getStats(): { memory: { maxBytes: number } }
    resizeMemory(maxBytes: number): void
  }
}

const MiB = 1024 ** 2
const maxBytes = 16 * 1024 * MiB

/**
 * The settings of a sandbox that optimizations may change. A change holds until the process ends.
 *
 * @example
 * ```ts
 * for (const knob of sandboxKnobs({ runtime, compiler })) client.registerKnob(knob)
 * ```
 */
export function sandboxKnobs({ runtime, compiler }: SandboxKnobParts): SandboxKnob[] {
  return [
    {
      id: 'cache.maxBytes',
      unit: 'bytes',
      min: MiB,
      max: maxBytes,
      read: () => compiler.getStats().memory.maxBytes,
      write: (value) => compiler.resizeMemory(value),
    },
    {
      id: 'handlers.maxBytes',
      unit: 'bytes on each thread',
      min: 1,
      max: maxBytes,
      read: () => runtime.getStats().limits.maxHandlerBytes,
      write: (value) => runtime.resize({ maxHandlerBytes: value }),
    },
    {
      id: 'pool.maxInstances',
      unit: 'instances on each thread',
      min: 1,
      max: 1024,
      read: () => runtime.getStats().limits.maxInstances,
      write: (value) => runtime.resize({ maxInstances: value }),
    },
  ]
}
