import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonValue, NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexusServer } from './nexus.js'

const example = join(import.meta.dirname, '../../../examples/saga')

it('an order of the example is placed with three services, and undone where one of them refuses', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-saga-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await cp(join(example, 'nexus.yaml'), join(cwd, 'nexus.yaml'))
  await cp(join(example, 'functions'), join(cwd, 'functions'), { recursive: true })
  const { url } = await nexusServer(['start'], { cwd })
  const client = new NexusClient({ url })
  const place = async (data: JsonValue) => {
    const { id } = await client.publish({ type: 'com.nexus.order.created', data })
    const run = async () => (await client.getEvent(id)).runs[0]
    await expect.poll(async () => (await run())?.status, { timeout: 30_000 }).toBe('succeeded')
    return (await run())!.value
  }
  const done = async (service: string, order: string) => {
    const { events } = await client.listEvents({ type: `com.nexus.${service}.*`, limit: 1000 })
    const own = events.filter(({ data }) => (data as { order: string }).order === order)
    return own.map(({ type }) => type.split('.').at(-1)).toReversed()
  }
  expect(await place({ id: 'A-1', total: 90, address: 'Bern' })).toEqual({
    order: 'A-1',
    isPlaced: true,
  })
  expect([await done('stock', 'A-1'), await done('payment', 'A-1')]).toEqual([
    ['reserved'],
    ['charged'],
  ])
  expect(await place({ id: 'A-2', total: 90, address: 'the moon' })).toEqual({
    order: 'A-2',
    isPlaced: false,
    why: 'no courier goes there',
  })
  expect([await done('stock', 'A-2'), await done('payment', 'A-2')]).toEqual([
    ['reserved', 'released'],
    ['charged', 'refunded'],
  ])
})
