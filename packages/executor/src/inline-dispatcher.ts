import { type CallRequest, emptyRawResult, type HandlerCode, type RawResult } from './call/call.js'
import { shutdownFailure } from './call/dispatch-failures.js'
import type { SandboxEngineOptions, SandboxLimits } from './call/sandbox-engine.js'
import type { Dispatcher, DispatcherStats, GuestServices } from './dispatcher.js'
import { drain } from './drain.js'
import { Engine } from './engine.js'

interface Waiting {
  readonly request: CallRequest
  resolve(result: RawResult): void
}

/**
 * Runs calls on the calling thread: nothing crosses to another, but a native loop of a guest
 * cannot be stopped. For handlers that are trusted not to attack.
 */
export class InlineDispatcher implements Dispatcher {
  readonly #engine: Engine
  readonly #waiting = new Map<number, Waiting>()
  #drained = false
  /** Called when a shutdown waits for the last call. */
  #idle: (() => void) | undefined

  constructor(options: SandboxEngineOptions, services: GuestServices) {
    this.#engine = new Engine(options, {
      finished: ({ id }, result) => {
        this.#waiting.get(id)?.resolve(result)
        this.#waiting.delete(id)
        if (this.#waiting.size === 0) this.#idle?.()
      },
      asked: (callId, id, question) => {
        const { request } = this.#waiting.get(callId)!
        void services.answer(request, id, question).then((answer) => {
          if (answer) this.#engine.answer(callId, id, answer)
        })
      },
      withdrawn: (callId, id) => services.withdraw(callId, id),
      entered: () => {},
      left: () => {},
      suspended: () => {},
    })
  }

  submit(request: CallRequest, code: HandlerCode | undefined): Promise<RawResult> {
    if (this.#drained) return Promise.resolve(emptyRawResult(shutdownFailure()))
    return new Promise((resolve) => {
      // A handler that cannot be added leaves no call behind that the end would wait for.
      if (code) this.#engine.addHandler(request.handlerKey, code)
      this.#waiting.set(request.id, { request, resolve })
      this.#engine.run(request)
    })
  }

  getStats(): DispatcherStats {
    return {
      engines: [this.#engine.getStats()],
      queued: 0,
      running: this.#waiting.size,
      threadKills: 0,
      threadCrashes: 0,
      confinedHandlers: 0,
    }
  }

  resize(limits: SandboxLimits): void {
    this.#engine.resize(limits)
  }

  /** The calling thread is its owner's to profile. */
  startProfile(): void {}

  async stopProfile(): Promise<[]> {
    return []
  }

  async shutdown(drainTimeoutMs: number): Promise<void> {
    if (this.#waiting.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve
      })
      await drain(idle, drainTimeoutMs)
    }
    this.#drained = true
    await this.#engine.shutdown()
  }
}
