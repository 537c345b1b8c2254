import { eventually } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, sandbox } from './support/sandbox.js'

describe('What was saved', () => {
  it('is started again by resurrect, after everything was shut down', async () => {
    const { engine, newEngine, processes } = sandbox()
    const definition = { name: 'one', script: fixture('idle.mjs'), env: { GREETING: 'hi' } }
    await engine.start(definition)
    await engine.start({ name: 'two', script: fixture('idle.mjs'), instances: 2 })
    await engine.start({ name: 'stopped', script: fixture('idle.mjs') })
    await engine.stop('stopped')
    expect(await engine.save()).toBe(2)
    await engine.shutdown()
    await eventually(processes, ({ length }) => length === 0)

    const later = newEngine()
    expect((await later.list()).map(({ state }) => state)).toEqual([
      'stopped',
      'stopped',
      'stopped',
    ])
    expect(await later.resurrect()).toEqual(['one', 'two'])
    expect((await later.list()).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'one online',
      'two online',
      'stopped stopped',
    ])
    expect(await later.resurrect()).toEqual([])
    // As it was defined, its environment included: this is the same service.
    expect(await later.start(definition)).toMatchObject({ state: 'online' })
  })
})
