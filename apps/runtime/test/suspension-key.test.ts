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

it('a key of another length is a mistake that does not show it', async () => {
  const directory = await workspace(files)
  const env = { NEXUS_IMAGE_KEY: 'hunter2' }
  const started = startRuntime({ config: join(directory, 'nexus.yaml'), port: 0, env })
  const { message } = (await started.catch((error: Error) => error)) as Error
  expect(message).toContain('environment variable NEXUS_IMAGE_KEY: expected 32 bytes')
  expect(message).not.toContain('hunter2')
})
