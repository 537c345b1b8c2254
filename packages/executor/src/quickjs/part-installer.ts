import type { GuestPtr, QuickJSInstance } from '@nexus/instance-pool'
import type { PartName } from '../guest/platform/part.js'
import { HostAnswer } from '../guest/protocol.js'

/** The parts of the platform that a thread has compiled. */
export type PartBytecodes = ReadonlyMap<PartName, Uint8Array>

const NONE: ReadonlySet<PartName> = new Set()

/** Installs parts of the platform in an instance: before its module runs, or when the code of a call needs one. */
export class PartInstaller {
  readonly #instance: QuickJSInstance
  readonly #entry: GuestPtr
  readonly #bytecodes: PartBytecodes
  #installed: Set<PartName> | undefined

  /** @param entry the prelude's `install` */
  constructor(instance: QuickJSInstance, entry: GuestPtr, bytecodes: PartBytecodes) {
    this.#instance = instance
    this.#entry = entry
    this.#bytecodes = bytecodes
  }

  /** What was installed here. */
  get installed(): ReadonlySet<PartName> {
    return this.#installed ?? NONE
  }

  /**
   * Installs a part and, as its code asks for them, those it needs.
   *
   * @param name whatever a guest says
   * @returns a number of `HostAnswer`: `Limit` where the call has not the memory, the stack or the time for it
   */
  install(name: string | undefined): number {
    const part = name as PartName
    const bytecode = this.#bytecodes.get(part)
    if (bytecode === undefined) return HostAnswer.Malformed
    const instance = this.#instance
    const evaluated = instance.evalBytecode(bytecode)
    if (instance.isException(evaluated)) return this.#fail()
    const namePtr = instance.newString(part)
    const returned = instance.call(this.#entry, namePtr, evaluated)
    if (instance.isException(returned)) return this.#fail()
    for (const ptr of [returned, namePtr, evaluated]) instance.free(ptr)
    this.#installed ??= new Set()
    this.#installed.add(part)
    return HostAnswer.Ok
  }

  #fail(): number {
    this.#instance.free(this.#instance.takeException())
    return HostAnswer.Limit
  }
}
