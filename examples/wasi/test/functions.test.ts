import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NexusClient } from '@nexus/client'
import { startRuntime } from '@nexus/runtime'
import { afterAll, beforeAll, expect, it } from 'vitest'

let client: NexusClient
const undo: (() => Promise<void>)[] = []

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-wasi-'))
  const runtime = await startRuntime({
    config: fileURLToPath(new URL('../nexus.yaml', import.meta.url)),
    port: 0,
    env: { NEXUS_DATA_DIR: join(directory, 'data'), CACHE_DIR: join(directory, 'cache') },
  })
  client = new NexusClient({ url: runtime.url })
  undo.push(
    () => runtime.close(),
    () => rm(directory, { recursive: true }),
  )
})
afterAll(async () => {
  for (const step of undo) await step()
})

it.each([
  [
    'C',
    { type: 'com.nexus.order.created', data: { latitude: 48.1, longitude: 11.6 } },
    {
      type: 'com.nexus.delivery.zoned',
      source: '/functions/delivery-zone',
      data: { zone: 'south' },
    },
    '48.10, 11.60 is in zone south',
  ],
  [
    'AssemblyScript',
    { type: 'com.nexus.article.written', data: { title: 'Hello, WASI!' } },
    { type: 'com.nexus.article.slugged', source: '/functions/slug', data: { slug: 'hello-wasi' } },
    'Hello, WASI! becomes hello-wasi',
  ],
])('the function in %s answers its event with another', async (_language, event, emitted, log) => {
  const { id } = await client.publish(event)
  await expect
    .poll(async () => (await client.listEvents({ type: emitted.type })).events, { timeout: 20_000 })
    .toEqual([expect.objectContaining(emitted)])
  const { runs } = await client.getEvent(id)
  expect(JSON.stringify(runs)).toContain(log)
})
