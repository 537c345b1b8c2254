import { type HandlerImage, type QuickJSInstance, QuickJSTemplate } from '@nexus/instance-pool'
import type { CallFailure, CallLimits } from '../call/call.js'
import {
  engineFailure,
  failureFromException,
  failureFromReport,
  memoryFailure,
  type Refusals,
  timeoutFailure,
  trapFailure,
  unhandledRejection,
} from '../call/guest-failure.js'
import { PRELUDE_ENTRIES, type PreludeEntry, preludeSource } from '../guest/prelude-source.js'
import { HostAnswer } from '../guest/protocol.js'

export type Template = QuickJSTemplate<PreludeEntry>

/** A handler's module failed to run, or has no default export to call. */
export class LoadFailure {
  constructor(readonly failure: CallFailure) {}
}

/** Loading needed more heap than the template gives. */
export const GREW = Symbol('grew')

/** A module has no capabilities while it loads: what it does is frozen into every later call. */
const LOADING_REFUSALS: Refusals = new Set([HostAnswer.Limit])

/** What stands around every stretch of guest code. */
export interface GuestGuard {
  /** @returns when the guest must have stopped, on the clock of `performance.now()` */
  enter(): number
  leave(): void
}

/** Runs handler modules in an instance of one template, and takes the image of what they leave. */
export class ModuleLoader {
  #instance: QuickJSInstance | undefined

  private constructor(readonly template: Template) {}

  static async create(
    heapBytes: number,
    maxStackBytes: number,
    webApis: boolean,
  ): Promise<ModuleLoader> {
    const template = await QuickJSTemplate.create({
      prelude: preludeSource(webApis),
      webExtensions: webApis,
      entries: PRELUDE_ENTRIES,
      heapBytes,
      maxStackBytes,
    })
    return new ModuleLoader(template)
  }

  async load(
    bytecode: Uint8Array,
    limits: CallLimits,
    guard: GuestGuard,
  ): Promise<HandlerImage | LoadFailure | typeof GREW> {
    const instance = this.#instance ?? (await this.template.instantiate())
    this.#instance = undefined
    instance.bind(this.template.baseImage)
    let loaded: HandlerImage | LoadFailure | typeof GREW
    const deadlineAt = guard.enter()
    try {
      loaded = this.#run(instance, bytecode, limits, deadlineAt)
    } catch (cause) {
      loaded = new LoadFailure(
        instance.interrupted ? timeoutFailure(limits.timeoutMs) : trapFailure(cause),
      )
    } finally {
      guard.leave()
      instance.end()
    }
    const reusable = !(loaded instanceof LoadFailure) && loaded !== GREW && !this.#instance
    if (reusable) this.#instance = instance
    else instance.dispose()
    return loaded
  }

  dispose(): void {
    this.#instance?.dispose()
    this.#instance = undefined
  }

  #run(
    instance: QuickJSInstance,
    bytecode: Uint8Array,
    limits: CallLimits,
    deadlineAt: number,
  ): HandlerImage | LoadFailure | typeof GREW {
    const { entries } = this.template
    instance.begin(deadlineAt, limits.memoryLimitBytes, () => HostAnswer.Limit)
    const silent = () =>
      new LoadFailure(
        instance.interrupted
          ? timeoutFailure(limits.timeoutMs)
          : instance.allocationRefused
            ? memoryFailure()
            : engineFailure('The module failed without an exception'),
      )
    const fail = () => {
      if (instance.interrupted) return silent()
      const { memoryLimitBytes } = limits
      const { describe } = entries
      const failure = failureFromException(instance, describe, memoryLimitBytes, LOADING_REFUSALS)
      return failure ? new LoadFailure(failure) : silent()
    }

    const evaluation = instance.evalBytecode(bytecode)
    if (instance.isException(evaluation)) return fail()
    if (!instance.drainJobs()) return fail()
    const state = instance.promiseState(evaluation)
    if (state === 'pending') {
      return new LoadFailure(
        invalidHandler(
          'The module awaits something at its top level that never comes: host calls and timers are for the handler, not for the module',
        ),
      )
    }
    const result = instance.promiseResult(evaluation)
    if (state === 'rejected') {
      const described = instance.call(entries.describe, result)
      const text = instance.readString(described)
      return text === undefined
        ? fail()
        : new LoadFailure(failureFromReport(text, LOADING_REFUSALS, instance.allocationRefused))
    }
    const [rejected] = instance.takeUnhandledRejections()
    if (rejected !== undefined) {
      const text = instance.readString(instance.call(entries.describe, rejected))
      return text === undefined
        ? fail()
        : new LoadFailure(
            unhandledRejection(
              failureFromReport(text, LOADING_REFUSALS, instance.allocationRefused),
            ),
          )
    }
    const loaded = instance.call(entries.load, result)
    if (instance.isException(loaded)) return fail()
    const type = instance.readString(loaded)
    if (type !== 'function') {
      return new LoadFailure(
        invalidHandler(
          `The module has no handler: expected \`export default\` of a function (event, ctx) => …, got ${type}`,
        ),
      )
    }
    for (const ptr of [loaded, result, evaluation]) instance.free(ptr)
    instance.end()
    instance.collectGarbage()
    return this.template.capture(instance) ?? GREW
  }
}

function invalidHandler(message: string): CallFailure {
  return { code: 'INVALID_HANDLER', report: { name: 'TypeError', message } }
}
