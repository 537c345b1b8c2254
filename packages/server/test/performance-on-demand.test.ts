import { PerformanceOnDemand } from '@nexus/server'
import { expect, it, vi } from 'vitest'
import { everyPart } from './parts.js'

function onDemand(freshMs?: number) {
  const looks: { timestamp: number }[] = []
  const client = {
    ...everyPart().work,
    getSnapshots: () => looks,
    createSnapshot: vi.fn(async () => void looks.push({ timestamp: Date.now() })),
    close: vi.fn(),
  }
  const open = vi.fn(async () => client)
  return { client, open, performance: new PerformanceOnDemand({ open, freshMs }) }
}

it('makes its client once, when it is asked for, and takes a first look then', async () => {
  const { client, open, performance } = onDemand()
  await performance.close()
  expect(open).not.toHaveBeenCalled()
  const both = await Promise.all([performance.client(), performance.look()])
  expect(both).toEqual([client, client])
  expect(open).toHaveBeenCalledOnce()
  expect(client.createSnapshot).toHaveBeenCalledOnce()
  await performance.close()
  expect(client.close).toHaveBeenCalledOnce()
})

it('looks again only when the last look is no longer fresh', async () => {
  const fresh = onDemand(3_600_000)
  await fresh.performance.look()
  await fresh.performance.look()
  expect(fresh.client.createSnapshot).toHaveBeenCalledOnce()
  const always = onDemand(0)
  await always.performance.look()
  await always.performance.look()
  expect(always.client.createSnapshot).toHaveBeenCalledTimes(3)
})
