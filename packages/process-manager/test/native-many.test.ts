import { describe, expect, it } from 'vitest'
import { fixture, sandbox } from './support/sandbox.js'

const DEFINED = 200
/** All of them, where there is room; what is too many for this machine is defined without a script. */
const BYTES_EACH = 60 * 2 ** 20
const RUNNING = Math.min(DEFINED, Math.max(8, Math.floor(process.availableMemory() / BYTES_EACH)))

describe('Two hundred services', () => {
  it('are started, listed, saved and stopped by one daemon', async () => {
    const { engine } = sandbox()
    const names = Array.from({ length: DEFINED }, (_, n) => `service-${n}`)
    await Promise.all(
      names.map((name, n) =>
        n < RUNNING
          ? engine.start({ name, script: fixture('idle.mjs') })
          : engine.start({ name, script: fixture('missing.mjs') }).catch(() => {}),
      ),
    )
    const states = (await engine.list()).map(({ state }) => state)
    expect(states).toHaveLength(DEFINED)
    expect(states.filter((state) => state === 'online')).toHaveLength(RUNNING)
    expect(states.filter((state) => state === 'errored')).toHaveLength(DEFINED - RUNNING)
    expect(await engine.daemonStats()).toMatchObject({ services: DEFINED, processes: RUNNING })
    const stopped = await Promise.all(names.map((name) => engine.stop(name)))
    expect(new Set(stopped.map(({ state }) => state))).toEqual(new Set(['stopped']))
  }, 90_000)
})
