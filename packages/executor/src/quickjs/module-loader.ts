import {
  type GuestPtr,
  type HandlerImage,
  type QuickJSInstance,
  QuickJSTemplate,
} from '@nexus/instance-pool'
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
import type { PartName } from '../guest/platform/part.js'
import { PRELUDE_ENTRIES, type PreludeEntry, preludeSource } from '../guest/prelude-source.js'
import { HostAnswer, HostOperation } from '../guest/protocol.js'
import { NativeCalls } from '../native/native-calls.js'
import { NativeObjects } from '../native/native-objects.js'
import type { NativeAnswer } from '../native/native-service.js'
import type { ThreadPoolGate } from '../native/thread-pool-slots.js'
import { type PartBytecodes, PartInstaller } from './part-installer.js'

export type Template = QuickJSTemplate<PreludeEntry>

/** What templates differ in. */
export interface TemplateKind {
  readonly heapBytes: number
  readonly maxStackBytes: number
  /** Whether the engine has its native extensions. */
  readonly native: boolean
}

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
  /** Time that passed while the guest waited for the host. */
  waited(ms: number): void
  /** What is left of the time, in milliseconds. */
  readonly leftMs: number
}

/** What a module left. */
export interface LoadedModule {
  readonly image: HandlerImage
  /** What the host keeps for it. */
  readonly objects: NativeObjects
}

type Loaded = LoadedModule | LoadFailure | typeof GREW

/** What is installed before a module runs, and what other parts are made of. */
export interface LoadingPlatform {
  readonly parts: ReadonlySet<PartName>
  readonly bytecodes: PartBytecodes
}

/** A module that runs. */
interface Loading {
  readonly instance: QuickJSInstance
  readonly limits: CallLimits
  readonly parts: ReadonlySet<PartName>
  readonly installer: PartInstaller
  readonly objects: NativeObjects
  readonly native: NativeCalls
  /** Answers of the host, to hand over when the guest runs next. */
  readonly answers: [id: number, answer: NativeAnswer][]
  /** Called when an answer has come. */
  wake: () => void
}

/** Runs handler modules in an instance of one template, and takes the image of what they leave. */
export class ModuleLoader {
  #instance: QuickJSInstance | undefined

  private constructor(
    readonly template: Template,
    /** What the template was made with. */
    readonly kind: TemplateKind,
    private readonly gate: ThreadPoolGate,
  ) {}

  static async create(options: TemplateKind, gate: ThreadPoolGate): Promise<ModuleLoader> {
    const template = await QuickJSTemplate.create({
      prelude: preludeSource(options.native),
      webExtensions: options.native,
      entries: PRELUDE_ENTRIES,
      heapBytes: options.heapBytes,
      maxStackBytes: options.maxStackBytes,
    })
    return new ModuleLoader(template, options, gate)
  }

  /** @param platform the parts of the platform that are installed before the module runs, and what others are made of */
  async load(
    bytecode: Uint8Array,
    platform: LoadingPlatform,
    limits: CallLimits,
    guard: GuestGuard,
  ): Promise<Loaded> {
    const instance = this.#instance ?? (await this.template.instantiate())
    this.#instance = undefined
    instance.bind(this.template.baseImage)
    const loading = this.#open(instance, platform, limits)
    const loaded = await this.#run(loading, bytecode, guard)
    loading.native.end()
    instance.end()
    const reusable = !(loaded instanceof LoadFailure) && loaded !== GREW && !this.#instance
    if (reusable) this.#instance = instance
    else instance.dispose()
    return loaded
  }

  dispose(): void {
    this.#instance?.dispose()
    this.#instance = undefined
  }

  #open(
    instance: QuickJSInstance,
    { parts, bytecodes }: LoadingPlatform,
    limits: CallLimits,
  ): Loading {
    const objects = new NativeObjects()
    const answers: Loading['answers'] = []
    const loading: Loading = {
      instance,
      limits,
      parts,
      installer: new PartInstaller(instance, this.template.entries.install, bytecodes),
      objects,
      answers,
      wake: () => {},
      native: new NativeCalls({
        instance,
        objects,
        gate: this.gate,
        memoryLimitBytes: limits.memoryLimitBytes,
        caller: {
          refused: () => {},
          settle: (id, answer) => {
            answers.push([id, answer])
            loading.wake()
          },
        },
      }),
    }
    return loading
  }

  /** Runs the module, and goes on as long as it waits for the host. */
  async #run(loading: Loading, bytecode: Uint8Array, guard: GuestGuard): Promise<Loaded> {
    const { instance, limits, native } = loading
    let evaluation: GuestPtr | undefined
    for (;;) {
      const deadlineAt = guard.enter()
      try {
        if (evaluation === undefined) {
          const serve = (args: readonly GuestPtr[]) => this.#serve(loading, args)
          instance.begin(deadlineAt, limits.memoryLimitBytes, serve)
          if (!this.#install(loading)) return this.#silent(loading)
          evaluation = instance.evalBytecode(bytecode)
          if (instance.isException(evaluation)) return this.#failed(loading)
        } else instance.deadlineAt = deadlineAt
        if (!this.#settleAnswers(loading) || !instance.drainJobs()) return this.#failed(loading)
        if (native.open === 0) return this.#look(loading, evaluation) ?? this.#capture(loading)
      } catch (cause) {
        return new LoadFailure(
          instance.interrupted ? timeoutFailure(limits.timeoutMs) : trapFailure(cause),
        )
      } finally {
        guard.leave()
      }
      if (!(await nextAnswer(loading, guard)))
        return new LoadFailure(timeoutFailure(limits.timeoutMs))
    }
  }

  /** A module may use what the host computes for it, and nothing outside. */
  #serve({ instance, installer, native }: Loading, args: readonly GuestPtr[]): number {
    const operation = instance.readNumber(args[0] ?? 0)
    if (operation === HostOperation.Install)
      return installer.install(instance.readString(args[1] ?? 0))
    if (operation === HostOperation.Native) return native.now(args)
    if (operation === HostOperation.NativeLater) return native.later(args)
    return HostAnswer.Limit
  }

  /** @returns whether all parts are there */
  #install({ parts, installer }: Loading): boolean {
    for (const part of parts) {
      if (!installer.installed.has(part) && installer.install(part) !== HostAnswer.Ok) return false
    }
    return true
  }

  /** @returns whether the guest took them all */
  #settleAnswers({ instance, answers }: Loading): boolean {
    for (const [id, answer] of answers.splice(0)) {
      const value =
        typeof answer === 'string' ? instance.newString(answer) : instance.newBytes(answer)
      if (instance.isException(value)) return false
      const number = instance.newNumber(id)
      const returned = instance.call(this.template.entries.settle, number, value)
      for (const ptr of [number, value]) instance.free(ptr)
      if (instance.isException(returned)) return false
      instance.free(returned)
    }
    return true
  }

  #look(loading: Loading, evaluation: GuestPtr): LoadFailure | undefined {
    const { instance } = loading
    const { entries } = this.template
    const state = instance.promiseState(evaluation)
    if (state === 'pending') {
      return new LoadFailure(
        invalidHandler(
          'The module awaits something at its top level that never comes: host calls and timers are for the handler, not for the module',
        ),
      )
    }
    const result = instance.promiseResult(evaluation)
    if (state === 'rejected') return this.#described(loading, result) ?? this.#failed(loading)
    const [rejected] = instance.takeUnhandledRejections()
    if (rejected !== undefined) {
      const described = this.#described(loading, rejected)
      return described
        ? new LoadFailure(unhandledRejection(described.failure))
        : this.#failed(loading)
    }
    const loaded = instance.call(entries.load, result)
    if (instance.isException(loaded)) return this.#failed(loading)
    const type = instance.readString(loaded)
    if (type !== 'function') {
      return new LoadFailure(
        invalidHandler(
          `The module has no handler: expected \`export default\` of a function (event, ctx) => …, got ${type}`,
        ),
      )
    }
    for (const ptr of [loaded, result, evaluation]) instance.free(ptr)
    return undefined
  }

  #described({ instance }: Loading, error: GuestPtr): LoadFailure | undefined {
    const text = instance.readString(instance.call(this.template.entries.describe, error))
    return text === undefined
      ? undefined
      : new LoadFailure(failureFromReport(text, LOADING_REFUSALS, instance.allocationRefused))
  }

  /** There is no exception that says why. */
  #silent({ instance, limits }: Loading): LoadFailure {
    if (instance.interrupted) return new LoadFailure(timeoutFailure(limits.timeoutMs))
    return new LoadFailure(
      instance.allocationRefused
        ? memoryFailure()
        : engineFailure('The module failed without an exception'),
    )
  }

  #failed(loading: Loading): LoadFailure {
    const { instance, limits } = loading
    if (instance.interrupted) return this.#silent(loading)
    const { memoryLimitBytes } = limits
    const { describe } = this.template.entries
    const failure = failureFromException(instance, describe, memoryLimitBytes, LOADING_REFUSALS)
    return failure ? new LoadFailure(failure) : this.#silent(loading)
  }

  #capture({ instance, objects }: Loading): LoadedModule | typeof GREW {
    instance.end()
    instance.collectGarbage()
    const image = this.template.capture(instance)
    return image ? { image, objects } : GREW
  }
}

/**
 * Waits for an answer of the host, at most as long as the guest has time.
 *
 * @returns whether one came
 */
async function nextAnswer(loading: Loading, guard: GuestGuard): Promise<boolean> {
  if (loading.answers.length > 0) return true
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>((resolve) => {
    loading.wake = resolve
    timer = setTimeout(resolve, guard.leftMs)
  })
  clearTimeout(timer)
  guard.waited(performance.now() - startedAt)
  return loading.answers.length > 0
}

function invalidHandler(message: string): CallFailure {
  return { code: 'INVALID_HANDLER', report: { name: 'TypeError', message } }
}
