import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { hasNats, startNats } from '@nexus/test-kit'
import { expect, it, onTestFinished, vi } from 'vitest'
import { LEASE_MS, Lease } from './lease.js'

it.skipIf(!hasNats())('keeps a lease although the answer to a renewal was lost', async () => {
  const server = await startNats()
  const connection = await connect({ servers: server.address })
  onTestFinished(async () => {
    await connection.close()
    await server.stop()
  })
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: 'lease', subjects: ['lease.>'], allow_direct: true })
  let lost = false
  const client = {
    publish: async (...request: Parameters<JetStreamClient['publish']>) => {
      const answer = await jetstream(connection).publish(...request)
      if (lost) throw new Error('timeout')
      return answer
    },
  } as JetStreamClient
  const now = vi.spyOn(performance, 'now').mockReturnValue(0)
  onTestFinished(() => now.mockRestore())

  const addresses = {
    file: { stream: 'lease', subject: 'lease.g' },
    memory: { stream: 'lease', subject: 'lease.memory' },
  }
  const lease = new Lease(client, manager, addresses)
  expect(await lease.take()).toBe(true)
  now.mockReturnValue(4_000)
  lost = true
  await lease.take()
  now.mockReturnValue(5_000)
  lost = false
  expect(await lease.take()).toBe(true)
  now.mockReturnValue(10_999)
  expect(lease.held).toBe(true)

  const other = new Lease(client, manager, addresses)
  expect(await other.take()).toBe(false)
})

it('counts a lease from its request, however late the answer comes', async () => {
  let nowMs = 0
  const now = vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  onTestFinished(() => now.mockRestore())
  const client = {
    publish: async () => {
      nowMs += 4_000
      return { seq: 1 }
    },
  } as unknown as JetStreamClient
  const manager = { direct: { getMessage: async () => null } } as unknown as JetStreamManager
  const lease = new Lease(client, manager, {
    file: { stream: 'lease', subject: 'lease.g' },
    memory: { stream: 'lease', subject: 'lease.memory' },
  })
  expect(await lease.take()).toBe(true)
  nowMs = LEASE_MS - 1
  expect(lease.held).toBe(true)
  nowMs = LEASE_MS
  expect(lease.held).toBe(false)
})
