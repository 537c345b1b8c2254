import type { CallExtension, Dispatcher, DispatcherStats } from './dispatcher.js'
import { drain } from './drain.js'
import type { CallOutcome, CallRequest } from './sandbox/call.js'
import { SandboxEngine, type SandboxEngineOptions } from './sandbox/sandbox-engine.js'

/**
 * Runs calls on the calling thread: nothing crosses to another, but a native loop of a guest
 * cannot be stopped. For handlers that are trusted not to attack.
 */
export class InlineDispatcher implements Dispatcher {
  readonly #engine: SandboxEngine
  readonly #waiting = new Map<number, (outcome: CallOutcome) => void>()
  /** Called when a shutdown waits for the last call. */
  #idle: (() => void) | undefined

  constructor(options: SandboxEngineOptions, callExtension: CallExtension) {
    this.#engine = new SandboxEngine(options, {
      finished: ({ id }, outcome) => {
        this.#waiting.get(id)?.(outcome)
        this.#waiting.delete(id)
        if (this.#waiting.size === 0) this.#idle?.()
      },
      extensionCalled: (callId, id, extension, method, argumentsJson) => {
        void callExtension(callId, extension, method, argumentsJson).then((answer) =>
          this.#engine.answer(callId, id, answer),
        )
      },
      entered: () => {},
      left: () => {},
      suspended: () => {},
    })
  }

  submit(request: CallRequest, bytecode: Uint8Array): Promise<CallOutcome> {
    return new Promise((resolve) => {
      this.#waiting.set(request.id, resolve)
      this.#engine.addHandler(request.handlerKey, bytecode)
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

  async shutdown(drainTimeoutMs: number): Promise<void> {
    if (this.#waiting.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve
      })
      await drain(idle, drainTimeoutMs)
    }
    await this.#engine.shutdown()
  }
}
