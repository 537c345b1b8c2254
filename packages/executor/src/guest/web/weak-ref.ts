import type { GuestKit } from '../platform/kit.js'

/**
 * Keeps what a WeakRef was made for, or was asked for, until the job ends, as the language demands. The engine
 * (QuickJS-NG 0.11) counts references and forgets a target in the middle of a job.
 */
export function installWeakRef(kit: GuestKit): void {
  const EngineRef = WeakRef
  const inJob = Promise.resolve()
  const later = Function.prototype.call.bind(Promise.prototype.then) as (
    promise: Promise<void>,
    then: () => void,
  ) => void
  const push = Function.prototype.call.bind(Array.prototype.push) as (
    list: unknown[],
    value: unknown,
  ) => void
  const deref = Function.prototype.call.bind(EngineRef.prototype.deref) as (
    ref: WeakRef<WeakKey>,
  ) => WeakKey | undefined
  let kept: WeakKey[] = []

  const keep = (target: WeakKey): void => {
    if (kept.length === 0) {
      later(inJob, () => {
        kept = []
      })
    }
    push(kept, target)
  }

  class KeepingRef<Target extends WeakKey> extends EngineRef<Target> {
    constructor(target: Target) {
      super(target)
      keep(target)
    }
    override deref(): Target | undefined {
      const target = deref(this)
      if (target !== undefined) keep(target)
      return target as Target | undefined
    }
  }
  kit.expose({ WeakRef: KeepingRef })
}
