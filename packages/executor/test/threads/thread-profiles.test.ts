import type { ThreadProfile } from '@nexus/executor'
import { expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const spin = handler('let sum = 0; for (let i = 0; i < 3_000_000; i++) sum += i; return sum')
const hang = handler('return new Array(2 ** 32 - 1).join()')

const sampled = ({ profile: { nodes, samples = [] } }: ThreadProfile) => {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]))
  return samples.map((id) => names.get(id)).filter((name) => name !== '(idle)')
}

it('each thread has a profile of its own, with the work that its calls made', async () => {
  const runtime = openRuntime({ threads: 2 })
  await runtime.executeHandler(spin, { event: null })
  runtime.startThreadProfiles(1_000)
  const calls = [1, 2, 3, 4].map(() => runtime.executeHandler(spin, { event: null }))
  for (const { error } of await Promise.all(calls)) expect(error).toBeUndefined()
  const profiles = await runtime.stopThreadProfiles(60_000)
  expect(profiles.map(({ thread }) => thread)).toEqual(['sandbox-1', 'sandbox-2'])
  expect(profiles.flatMap(sampled).length).toBeGreaterThan(20)

  runtime.startThreadProfiles(1_000)
  expect(await runtime.stopThreadProfiles(60_000)).toHaveLength(2)
  expect(await runtime.stopThreadProfiles()).toEqual([])
})

it('a thread that had to be ended has none, and the one in its place has', async () => {
  const runtime = openRuntime({ threads: 1 })
  runtime.startThreadProfiles(1_000)
  // On a busy machine the time may be over before the handler has begun: then there is nothing to end.
  while (runtime.getStats().threadKills === 0) {
    const { error } = await runtime.executeHandler(hang, { event: null }, 500)
    expect(error?.code).toBe('TIMEOUT')
  }
  expect((await runtime.executeHandler(spin, { event: null }, 60_000)).status).toBe('success')
  const profiles = await runtime.stopThreadProfiles(60_000)
  expect(profiles.flatMap(sampled).length).toBeGreaterThan(0)
  expect(profiles.map(({ thread }) => thread)).not.toContain('sandbox-1')
})
