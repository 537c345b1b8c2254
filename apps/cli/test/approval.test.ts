import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NexusClient } from '@nexus/client'
import { expect, it, onTestFinished } from 'vitest'
import { nexus, nexusServer } from './nexus.js'

const example = join(import.meta.dirname, '../../../examples/approval')
const decision = JSON.stringify({ approved: true, by: 'Ada' })

it('an order of the example waits through kill -9 and a restart, and goes on once when a person decides', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'nexus-approval-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await cp(join(example, 'nexus.yaml'), join(cwd, 'nexus.yaml'))
  await cp(join(example, 'functions'), join(cwd, 'functions'), { recursive: true })

  const first = await nexusServer(['start'], { cwd })
  const order = { id: 'A-1', total: 900 }
  const client = new NexusClient({ url: first.url })
  const { id } = await client.publish({ type: 'com.nexus.order.created', data: order })
  const shown = () => nexus(['suspensions', '--json', '--url', first.url])
  const waiting = async () => JSON.parse((await shown()).stdout).suspensions
  await expect.poll(waiting).toMatchObject([{ name: 'approval', data: order }])
  expect((await nexus(['events', id, '--url', first.url])).stdout).toContain('suspended')
  await first.stop('SIGKILL')

  const second = await nexusServer(['start'], { cwd })
  const again = new NexusClient({ url: second.url })
  const listed = await nexus(['suspensions', '--json', '--url', second.url])
  const [{ suspensionId }] = JSON.parse(listed.stdout).suspensions
  const resume = ['resume', suspensionId, '--value', decision, '--url', second.url]
  expect(await nexus(resume)).toMatchObject({ code: 0, stderr: '' })
  const status = async () => (await again.getEvent(id)).runs[0]?.status
  await expect.poll(status).toBe('succeeded')
  expect((await again.getEvent(id)).runs[0]).toMatchObject({ value: { approved: true, by: 'Ada' } })
  const approved = await again.listEvents({ type: 'com.nexus.order.approved' })
  expect(approved.events.map(({ data }) => data)).toEqual([{ id: 'A-1', by: 'Ada' }])

  const late = await nexus(resume)
  expect(late).toMatchObject({ code: 1, stdout: '' })
  expect(late.stderr).not.toBe('')
})
