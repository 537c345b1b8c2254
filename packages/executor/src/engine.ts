import type { Answer, CallRequest, HandlerCode } from './call/call.js'
import { addStats, type SandboxEngineStats } from './call/engine-stats.js'
import type {
  EngineListener,
  SandboxEngine,
  SandboxEngineOptions,
  SandboxLimits,
} from './call/sandbox-engine.js'
import { QuickjsEngine } from './quickjs/quickjs-engine.js'
import { WasiEngine } from './wasi/wasi-engine.js'

/** Sends each call to the engine that its handler is for: QuickJS for JavaScript, WASI for commands. */
export class Engine implements SandboxEngine {
  readonly #quickjs: QuickjsEngine
  /** Made when the first WASI command comes. */
  #wasi: WasiEngine | undefined
  #options: SandboxEngineOptions
  readonly #listener: EngineListener

  constructor(options: SandboxEngineOptions, listener: EngineListener) {
    this.#options = options
    this.#listener = listener
    this.#quickjs = new QuickjsEngine(options, listener)
  }

  /** Starts the JavaScript engine, so that the first call does not. */
  warmUp(): Promise<void> {
    return this.#quickjs.warmUp()
  }

  hasHandler(key: string): boolean {
    return this.#quickjs.hasHandler(key) || this.#wasi?.hasHandler(key) === true
  }

  addHandler(key: string, code: HandlerCode): void {
    if (code instanceof Uint8Array) {
      this.#quickjs.addHandler(key, code)
    } else {
      this.#wasi ??= new WasiEngine(this.#options, this.#listener)
      this.#wasi.addHandler(key, code)
    }
  }

  run(request: CallRequest): void {
    const isThawed = request.evaluation ?? request.resumption
    if (!isThawed && this.#wasi?.hasHandler(request.handlerKey)) this.#wasi.run(request)
    else this.#quickjs.run(request)
  }

  /** Hands a guest the answer to its question; ignored when the call is over. */
  answer(callId: number, id: number, answer: Answer): void {
    this.#quickjs.answer(callId, id, answer)
  }

  getStats(): SandboxEngineStats {
    const stats = this.#quickjs.getStats()
    return this.#wasi ? addStats(stats, this.#wasi.getStats()) : stats
  }

  resize(limits: SandboxLimits): void {
    this.#options = { ...this.#options, ...limits }
    this.#quickjs.resize(limits)
    this.#wasi?.resize(limits)
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.#quickjs.shutdown(), this.#wasi?.shutdown()])
  }
}
