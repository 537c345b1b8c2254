import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { startRuntime } from '@nexus/runtime'
import { expect, it, onTestFinished } from 'vitest'
import { workspace } from './workspace.js'

const [first, second] = ['ab'.repeat(32), 'cd'.repeat(32)]
const files = {
  'nexus.yaml':
    'functions:\n  - { name: waits, source: ./waits.js, events: [a], retry: { maxAttempts: 1 } }\n',
  'waits.js': "export default (event, ctx) => ctx.suspend('x')",
}
/** Byte of a sealed image that says whether it is encrypted. */
const KIND = 5

it('NEXUS_IMAGE_KEY encrypts images of suspended calls, older keys open them, and others do not', async () => {
  const directory = await workspace(files)
  const start = async (env: Record<string, string>) => {
    const runtime = await startRuntime({ config: join(directory, 'nexus.yaml'), port: 0, env })
    onTestFinished(() => runtime.close())
    return { runtime, client: new NexusClient({ url: runtime.url }) }
  }
  const suspended = async (client: NexusClient, count: number) => {
    const listed = async () => (await client.suspensions()).suspensions
    await expect.poll(async () => (await listed()).length, { timeout: 20_000 }).toBe(count)
    return (await listed()).map(({ suspensionId }) => suspensionId)
  }
  const clear = await start({})
  await clear.client.publish({ type: 'a', id: 'clear' })
  const [inClear] = await suspended(clear.client, 1)
  expect((await clear.client.suspensionImage(inClear!))[KIND]).toBe(0)
  await clear.runtime.close()

  const before = await start({ NEXUS_IMAGE_KEY: first })
  await before.client.publishBatch([
    { type: 'a', id: 'one' },
    { type: 'a', id: 'two' },
  ])
  const ids = (await suspended(before.client, 3)).filter((id) => id !== inClear)
  for (const id of ids) expect((await before.client.suspensionImage(id))[KIND]).toBe(1)
  await before.runtime.close()

  const after = await start({ NEXUS_IMAGE_KEY: `${second}, ${first}` })
  const rotated = await after.client.suspension(ids[0]!)
  await after.client.resumeSuspension(ids[0]!, { value: 7 })
  const runOf = async (client: NexusClient, id: string) => (await client.getEvent(id)).runs[0]
  const end = { status: 'succeeded', value: 7 }
  await expect.poll(() => runOf(after.client, rotated.event.id)).toMatchObject(end)
  await after.client.resumeSuspension(inClear!, { value: 7 })
  const refused = { status: 'dead-lettered', error: { code: 'SUSPENSION_REFUSED' } }
  await expect.poll(() => runOf(after.client, 'clear')).toMatchObject(refused)
  await after.runtime.close()

  const other = await start({ NEXUS_IMAGE_KEY: second })
  const { event } = await other.client.suspension(ids[1]!)
  await other.client.resumeSuspension(ids[1]!, { value: 7 })
  await expect.poll(() => runOf(other.client, event.id)).toMatchObject(refused)
}, 120_000)

it('NEXUS_LINK_KEY and publicUrl together make links that resume calls', async () => {
  const directory = await workspace({
    'nexus.yaml':
      'server: { publicUrl: "https://nexus.example.com/base/" }\nfunctions:\n  - { name: asks, source: ./asks.js, events: [a] }\n',
    'asks.js': `export default async (event, ctx) => {
      const url = await ctx.resumeUrl('x', 7).catch((error) => error.message)
      return url.startsWith('http') ? await ctx.suspend('x', url) : url
    }`,
  })
  const start = async (env: Record<string, string>) => {
    const runtime = await startRuntime({ config: join(directory, 'nexus.yaml'), port: 0, env })
    onTestFinished(() => runtime.close())
    return { runtime, client: new NexusClient({ url: runtime.url }) }
  }
  const none = await start({})
  const { runs } = await none.client.publish({ type: 'a', data: 0 }, { wait: true })
  expect(runs[0]).toMatchObject({ value: 'ctx.resumeUrl: this program makes no links' })
  await none.runtime.close()

  const { runtime, client } = await start({ NEXUS_LINK_KEY: first })
  const { id } = await client.publish({ type: 'a', data: 0 }, { wait: true })
  const [{ data } = { data: '' }] = (await client.suspensions()).suspensions
  const address = 'https://nexus.example.com/base/resume/'
  expect(String(data).slice(0, address.length)).toBe(address)
  const link = `${runtime.url}/resume/${String(data).slice(address.length)}`
  expect((await fetch(link, { method: 'POST' })).status).toBe(200)
  const runOf = async () => (await client.getEvent(id)).runs[0]
  await expect.poll(runOf, { timeout: 20_000 }).toMatchObject({ status: 'succeeded', value: 7 })
}, 60_000)

it('a key of another length is a mistake that does not show it', async () => {
  const directory = await workspace(files)
  const env = { NEXUS_IMAGE_KEY: 'hunter2' }
  const started = startRuntime({ config: join(directory, 'nexus.yaml'), port: 0, env })
  const { message } = (await started.catch((error: Error) => error)) as Error
  expect(message).toContain('environment variable NEXUS_IMAGE_KEY: expected 32 bytes')
  expect(message).not.toContain('hunter2')
})
