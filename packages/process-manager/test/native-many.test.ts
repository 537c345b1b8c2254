import { describe, expect, it } from 'vitest'
import { fixture, sandbox } from './support/sandbox.js'

const DEFINED = 200
/** Each costs the machine a start of Node: the others are defined without a script. */
const BYTES_EACH = 60 * 2 ** 20
const RUNNING = Math.min(40, Math.max(8, Math.floor(process.availableMemory() / BYTES_EACH)))

describe('Two hundred services', () => {
  it('are started, listed, saved and stopped by one daemon', async () => {
    const { engine } = sandbox({ startTimeoutMs: 90_000 })
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
  })
})
