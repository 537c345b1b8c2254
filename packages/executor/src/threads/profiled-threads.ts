import type { Profiler } from 'node:inspector'
import type { SandboxThread } from './sandbox-thread.js'

/** What the CPU did on one thread. */
export interface ThreadProfile {
  /** `sandbox-1` and so on. */
  thread: string
  /** The content of a `.cpuprofile`. */
  profile: Profiler.Profile
}

interface Profiled {
  readonly name: string
  readonly profile: Promise<Profiler.Profile | undefined>
  resolve(profile: Profiler.Profile | undefined): void
}

/** On the host: the threads whose profiles are being taken. */
export class ProfiledThreads {
  readonly #samplingIntervalUs: number
  readonly #threads = new Map<SandboxThread, Profiled>()

  constructor(samplingIntervalUs: number) {
    this.#samplingIntervalUs = samplingIntervalUs
  }

  add(thread: SandboxThread): void {
    let resolve!: Profiled['resolve']
    const profile = new Promise<Profiler.Profile | undefined>((settle) => {
      resolve = settle
    })
    this.#threads.set(thread, { name: `sandbox-${this.#threads.size + 1}`, profile, resolve })
    thread.send({ kind: 'profile', samplingIntervalUs: this.#samplingIntervalUs })
  }

  /** What a thread sent, or undefined when it ended: its samples are gone with it. */
  received(thread: SandboxThread, profile: Profiler.Profile | undefined): void {
    this.#threads.get(thread)?.resolve(profile)
  }

  /**
   * Ends the profiles.
   *
   * @param patienceMs for threads that are busy; what comes later is left out
   */
  async stop(patienceMs: number): Promise<ThreadProfile[]> {
    for (const thread of this.#threads.keys()) thread.send({ kind: 'profile-end' })
    const timer = setTimeout(() => {
      for (const { resolve } of this.#threads.values()) resolve(undefined)
    }, patienceMs)
    const profiles = await Promise.all(
      Array.from(this.#threads.values(), async ({ name, profile }) => ({
        thread: name,
        profile: await profile,
      })),
    )
    clearTimeout(timer)
    return profiles.filter((taken): taken is ThreadProfile => taken.profile !== undefined)
  }
}
