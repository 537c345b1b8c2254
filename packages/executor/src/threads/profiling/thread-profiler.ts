import type { Profiler } from 'node:inspector'
import type { Session } from 'node:inspector/promises'

/** On a thread: samples what it does, through an inspector session of its own. */
export class ThreadProfiler {
  #session: Promise<Session> | undefined

  start(samplingIntervalUs: number): void {
    this.#session ??= begin(samplingIntervalUs)
  }

  /** The profile since the start; undefined when there was none, or the inspector refused. */
  async stop(): Promise<Profiler.Profile | undefined> {
    const starting = this.#session
    this.#session = undefined
    try {
      const session = await starting
      if (!session) return undefined
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      return profile
    } catch {
      // Without an inspector (`--without-inspector`) the other threads' profiles are still worth having.
      return undefined
    }
  }
}

/** The inspector is loaded by the first profile: a thread that is never profiled does not pay for it. */
async function begin(interval: number): Promise<Session> {
  const { Session } = await import('node:inspector/promises')
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval })
  await session.post('Profiler.start')
  return session
}
