import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonValue, NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

const example = join(import.meta.dirname, '../../../examples/reminder')
const patience = { timeout: 20_000 }

it('a cart of the example is remembered at its time, and not when its order came first, through kill -9', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-reminder-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await cp(join(example, 'nexus.yaml'), join(cwd, 'nexus.yaml'))
  await cp(join(example, 'functions'), join(cwd, 'functions'), { recursive: true })

  const first = await nexusServer(['start'], { cwd })
  const client = new NexusClient({ url: first.url })
  const left = (data: JsonValue) => client.publish({ type: 'com.nexus.cart.left', data })
  const ordered = await left({ id: 'C-1', email: 'ada@example.com' })
  const remindAt = new Date(Date.now() + 1_500).toISOString()
  const forgotten = await left({ id: 'C-2', email: 'bob@example.com', remindAt })
  const statusOf = async (id: string) => (await client.getEvent(id)).runs[0]?.status
  await expect.poll(() => statusOf(ordered.id), patience).toBe('suspended')
  const { stdout } = await nexus(['suspensions', '--url', first.url])
  expect(stdout).toContain('an event com.nexus.order.created')
  await first.stop('SIGKILL')

  const second = await nexusServer(['start'], { cwd })
  const again = new NexusClient({ url: second.url })
  await again.publish({ type: 'com.nexus.order.created', data: { cart: 'C-1' } })
  const runOf = async (id: string) => (await again.getEvent(id)).runs[0]
  await expect
    .poll(() => runOf(ordered.id), patience)
    .toMatchObject({
      status: 'succeeded',
      value: { cart: 'C-1', reminded: false },
    })
  await expect
    .poll(() => runOf(forgotten.id), patience)
    .toMatchObject({
      status: 'succeeded',
      value: { cart: 'C-2', reminded: true },
    })
  const reminders = await again.listEvents({ type: 'com.nexus.cart.reminder' })
  expect(reminders.events.map(({ data }) => data)).toEqual([
    { cart: 'C-2', email: 'bob@example.com' },
  ])
})
