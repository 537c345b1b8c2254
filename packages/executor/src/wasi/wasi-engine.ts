import { describeThrown } from '@nexus/diagnostics'
import { InstancePool, type Lease } from '@nexus/instance-pool'
import { LRUCache } from 'lru-cache'
import { type CallFailure, type CallRequest, emptyRawResult, type RawResult } from '../call/call.js'
import type { SandboxEngineStats } from '../call/engine-stats.js'
import { engineFailure, exhaustedFailure } from '../call/guest-failure.js'
import { queueWaitUs } from '../call/queue-wait.js'
import type {
  EngineListener,
  SandboxEngine,
  SandboxEngineOptions,
  SandboxLimits,
} from '../call/sandbox-engine.js'
import { CommandCall } from './command-call.js'
import { endOf, memoryTooSmall } from './command-end.js'
import { type CommandMemory, CommandMemoryKind, type MemoryUse } from './command-memory.js'
import { CommandFiles } from './files/command-files.js'
import { wasmerLibrary } from './files/wasmer-library.js'
import { PAGE_BYTES } from './module/command-layout.js'
import { GROWTH_FLAG } from './module/growth-flag.js'
import { MEMORY_IMPORT } from './module/import-memory.js'
import { Preview1Host } from './preview1/preview1-host.js'
import type { WasiProgram } from './wasi-program.js'

/** Who is told what happens. */
type WasiListener = Pick<EngineListener, 'finished' | 'entered' | 'left'>

interface StoredProgram extends WasiProgram {
  readonly zeroTerminatedArgs: readonly Buffer[]
}

/** Runs the WASI commands of one thread. */
export class WasiEngine implements SandboxEngine<WasiProgram> {
  #programs: LRUCache<string, StoredProgram>
  #loads = 0
  #evictions = 0
  readonly #pool: InstancePool<CommandMemory, MemoryUse>
  readonly #files = new CommandFiles()
  readonly #host = new Preview1Host(this.#files)
  readonly #listener: WasiListener

  constructor(options: SandboxEngineOptions, listener: WasiListener) {
    const { maxInstances, maxHandlerBytes, pool } = options
    this.#listener = listener
    this.#pool = new InstancePool(new CommandMemoryKind(), {
      ...pool,
      // Memory is of the size that its command wants: none is made before it is called.
      minInstances: 0,
      maxInstances,
    })
    this.#programs = this.#createPrograms(maxHandlerBytes)
  }

  resize({ maxInstances, maxHandlerBytes }: SandboxLimits): void {
    this.#pool.resize(maxInstances)
    const kept = this.#programs.dump()
    this.#programs = this.#createPrograms(maxHandlerBytes)
    this.#programs.load(kept)
  }

  getStats(): SandboxEngineStats {
    return {
      pool: this.#pool.getStats(),
      handlers: this.#programs.size,
      handlerBytes: this.#programs.calculatedSize,
      handlerLoads: this.#loads,
      handlerEvictions: this.#evictions,
    }
  }

  hasHandler(key: string): boolean {
    return this.#programs.has(key)
  }

  addHandler(key: string, program: WasiProgram): void {
    const zeroTerminatedArgs = program.args.map((arg) => Buffer.from(`${arg}\0`))
    this.#loads++
    this.#programs.set(key, { ...program, zeroTerminatedArgs })
  }

  run(request: CallRequest): void {
    const program = this.#programs.get(request.handlerKey)!
    const use = memoryUse(program, request.limits.memoryLimitBytes)
    if ('code' in use) {
      this.#finishUnrun(request, use)
      return
    }
    const isReady = !program.usesFiles || wasmerLibrary.current !== undefined
    const lease = isReady ? this.#pool.tryAcquire(use) : undefined
    if (lease) this.#run(request, program, lease)
    else void this.#runLater(request, program, use)
  }

  shutdown(): Promise<void> {
    return this.#pool.shutdown()
  }

  #createPrograms(maxBytes: number): LRUCache<string, StoredProgram> {
    return new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ byteLength }) => byteLength,
      dispose: (_program, _key, reason) => {
        if (reason === 'evict') this.#evictions++
      },
    })
  }

  async #runLater(request: CallRequest, program: StoredProgram, use: MemoryUse): Promise<void> {
    let lease: Lease<CommandMemory>
    try {
      if (program.usesFiles) await wasmerLibrary.load()
      lease = await this.#pool.acquire(use)
    } catch (error) {
      const failure =
        exhaustedFailure(error) ??
        engineFailure(`The command could not be started: ${describeThrown(error).message}`)
      this.#finishUnrun(request, failure)
      return
    }
    this.#run(request, program, lease)
  }

  #run(request: CallRequest, program: StoredProgram, lease: Lease<CommandMemory>): void {
    const startedAt = performance.now()
    const call = new CommandCall(request, program.zeroTerminatedArgs, startedAt)
    const { memory } = lease.instance
    this.#listener.entered(request.id, request.limits.timeoutMs)
    let error: unknown
    let instance: WebAssembly.Instance | undefined
    try {
      this.#files.begin(program.files, request.limits.memoryLimitBytes)
      this.#host.begin(call, memory)
      instance = this.#instantiate(program, memory)
      // A request without an event only finds out whether the module can be instantiated.
      if (request.eventJson !== undefined) (instance.exports._start as () => void)()
    } catch (thrown) {
      error = thrown
    } finally {
      this.#listener.left()
    }
    this.#files.end()
    this.#conclude(call, lease, { error, growthRefused: growthRefused(instance) })
  }

  #instantiate({ module }: WasiProgram, memory: WebAssembly.Memory): WebAssembly.Instance {
    const { imports } = this.#host
    return new WebAssembly.Instance(module, {
      ...imports,
      [MEMORY_IMPORT.module]: { ...imports[MEMORY_IMPORT.module], [MEMORY_IMPORT.name]: memory },
    } as WebAssembly.Imports)
  }

  #conclude(
    call: CommandCall,
    lease: Lease<CommandMemory>,
    { error, growthRefused }: { error: unknown; growthRefused: boolean | undefined },
  ): void {
    const { request, startedAt, log, events, hostCalls } = call
    const now = performance.now()
    const end = endOf(error, { memory: lease.instance, growthRefused, refusal: call.refusal })
    const result = end.failure ? end : call.takeResult()
    const failure = 'json' in result ? undefined : result.failure
    const memoryBytes = lease.instance.bytes
    log.endLine()
    const raw: RawResult = {
      valueJson: 'json' in result ? result.json : '',
      failure,
      events: failure ? [] : events,
      logs: log.lines,
      steps: call.steps,
      durationUs: (now - startedAt) * 1000,
      queueWaitUs: queueWaitUs(request.submittedAt, startedAt),
      memoryUsedBytes: memoryBytes,
      memoryPeakBytes: memoryBytes,
      hostCalls: hostCalls + log.lines.length,
    }
    this.#pool.release(lease, end.discard)
    this.#listener.finished(request, raw)
  }

  #finishUnrun(request: CallRequest, failure: CallFailure): void {
    this.#listener.finished(request, emptyRawResult(failure, queueWaitUs(request.submittedAt)))
  }
}

/** Whether the last `memory.grow` was refused; undefined where the module does not tell. */
function growthRefused(instance: WebAssembly.Instance | undefined): boolean | undefined {
  const flag = instance?.exports[GROWTH_FLAG]
  return flag instanceof WebAssembly.Global ? flag.value === 1 : undefined
}

/** The memory a program gets within its limit, or why it cannot have one. */
function memoryUse(
  { initialPages, maximumPages, tableBytes }: WasiProgram,
  limitBytes: number,
): MemoryUse | CallFailure {
  const limitPages = Math.floor((limitBytes - tableBytes) / PAGE_BYTES)
  if (initialPages > limitPages) {
    return memoryTooSmall(initialPages * PAGE_BYTES + tableBytes, limitBytes)
  }
  return { initial: initialPages, maximum: Math.min(limitPages, maximumPages ?? limitPages) }
}
