import type { Profiler } from 'node:inspector'
import type { Profiled } from '../protocol.js'
import type { SandboxThread } from '../sandbox-thread.js'

/** What the CPU did on one thread. */
export interface ThreadProfile {
  /** `sandbox-1` and so on. */
  thread: string
  /** The content of a `.cpuprofile`. */
  profile: Profiler.Profile
}

interface Sampled {
  readonly name: string
  readonly profile: Promise<Profiler.Profile | undefined>
  resolve(profile: Profiler.Profile | undefined): void
}

/** On the host: the threads whose profiles are being taken. */
export class ProfiledThreads {
  readonly #id: number
  readonly #samplingIntervalUs: number
  readonly #threads = new Map<SandboxThread, Sampled>()

  constructor(id: number, samplingIntervalUs: number) {
    this.#id = id
    this.#samplingIntervalUs = samplingIntervalUs
  }

  add(thread: SandboxThread): void {
    let resolve!: Sampled['resolve']
    const profile = new Promise<Profiler.Profile | undefined>((settle) => {
      resolve = settle
    })
    this.#threads.set(thread, { name: `sandbox-${this.#threads.size + 1}`, profile, resolve })
    thread.send({ kind: 'profile', samplingIntervalUs: this.#samplingIntervalUs })
  }

  /** What a thread sent. One that was too busy may answer when another profile is being taken. */
  received(thread: SandboxThread, { profileId, profile }: Profiled): void {
    if (profileId === this.#id) this.#threads.get(thread)?.resolve(profile)
  }

  /** A thread is gone, and its samples with it. */
  ended(thread: SandboxThread): void {
    this.#threads.get(thread)?.resolve(undefined)
  }

  /**
   * Ends the profiles.
   *
   * @param patienceMs for threads that are busy; what comes later is left out
   */
  async stop(patienceMs: number): Promise<ThreadProfile[]> {
    for (const thread of this.#threads.keys())
      thread.send({ kind: 'profile-end', profileId: this.#id })
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
