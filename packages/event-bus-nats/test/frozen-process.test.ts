import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { EventBus } from '@nexus/event-bus'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'
import { consumerNameIn } from '../src/streams/consumer-name.js'

const PATIENCE = { timeout: 30_000 }

it.skipIf(!hasNats())(
  'counts the starts of a handler, not what was handed to a frozen process, which settles nothing any more',
  async () => {
    const { address } = await untilTestEnds(startNats())
    const { workerFile } = await untilTestEnds(
      bundleWorker(join(import.meta.dirname, 'stuck-consumer.ts')),
    )
    const bus = await EventBus.open({ store: natsStore({ servers: [`nats://${address}`] }) })
    onTestFinished(() => bus.close())
    const told: { attempt?: number; error?: string; ready?: true }[] = []
    const frozen: ChildProcess = fork(workerFile, {
      env: { ...process.env, STUCK_STORE: `nats://${address}` },
    })
    onTestFinished(() => void frozen.kill('SIGKILL'))
    frozen.on('message', (message: object) => told.push(message))
    await expect.poll(() => told, PATIENCE).toEqual([{ ready: true }])
    await bus.publish({ type: 'a', id: 'x' })
    await expect.poll(() => told, PATIENCE).toHaveLength(2)
    frozen.kill('SIGSTOP')

    // The server hands the event to the pull of the frozen process again and again.
    const connection = await connect({ servers: [`nats://${address}`] })
    onTestFinished(() => connection.close())
    const manager = await jetstreamManager(connection)
    const consumer = await consumerNameIn(manager, 'nexus_events', 'g')
    const handedOut = async () =>
      (await manager.consumers.info('nexus_events', consumer)).delivered.consumer_seq
    await expect.poll(handedOut, PATIENCE).toBeGreaterThan(9)

    const attempts: number[] = []
    await bus.subscribe(
      'a',
      ({ attempt }) => {
        attempts.push(attempt)
        return { record: 'of the new process' }
      },
      { group: 'g', ackWaitMs: 1_000, retry: { maxAttempts: 8 } },
    ).ready
    const delivery = async () => (await bus.get('x'))?.deliveries[0]
    const settled = { status: 'succeeded', record: 'of the new process' }
    await expect.poll(delivery, PATIENCE).toMatchObject(settled)
    expect(attempts).toEqual([2])

    frozen.kill('SIGCONT')
    frozen.send('go on')
    await expect.poll(() => told, PATIENCE).toContainEqual({ error: 'CLAIM_LOST' })
    expect(await delivery()).toMatchObject(settled)
    expect(told.filter(({ attempt }) => attempt !== undefined)).toHaveLength(1)
  },
  120_000,
)
