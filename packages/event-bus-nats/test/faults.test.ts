import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { serverFaultRounds } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { expect, it } from 'vitest'

// NEXUS_FAULTS chooses how many faults, NEXUS_FAULTS_SEED which.
const faults = Number(process.env.NEXUS_FAULTS ?? 8)
const seed = Number(process.env.NEXUS_FAULTS_SEED ?? Date.now() % 1_000_000)
/** Debian's package libfaketime. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

it.skipIf(!hasNats())(
  `accounts for every event while processes, clocks, network and server fail (${faults} faults, seed ${seed})`,
  async () => {
    const server = await untilTestEnds(startNats())
    const source = join(import.meta.dirname, 'fault-worker.ts')
    const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
    const report = await serverFaultRounds({
      faults,
      seed,
      server,
      emptyServer: async () => {
        const connection = await connect({ servers: [server.address] })
        const { streams } = await jetstreamManager(connection)
        for await (const name of streams.names()) await streams.delete(name)
        await connection.close()
      },
      directory,
      workerFile,
      openStore: (port) =>
        natsStore({ servers: [`nats://127.0.0.1:${port}`], requestTimeoutMs: 20_000 }),
      faketime: existsSync(FAKETIME) ? FAKETIME : undefined,
      onProgress: (done) => console.log(`${done} faults`),
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  },
  300_000 + faults * 6_000,
)
