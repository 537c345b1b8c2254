import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { serverFaultRounds } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { bundleWorker, hasRedis, startRedis, untilTestEnds } from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'

// NEXUS_FAULTS chooses how many faults, NEXUS_FAULTS_SEED which.
const faults = Number(process.env.NEXUS_FAULTS ?? 12)
const seed = Number(process.env.NEXUS_FAULTS_SEED ?? Date.now() % 1_000_000)
/** Debian's package libfaketime. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

it.skipIf(!hasRedis())(
  `accounts for every event while processes, clocks, network and server fail (${faults} faults, seed ${seed})`,
  async () => {
    const server = await untilTestEnds(startRedis())
    const source = join(import.meta.dirname, 'fault-worker.ts')
    const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
    const report = await serverFaultRounds({
      faults,
      seed,
      server,
      emptyServer: async () => {
        const redis = new Redis(server.port)
        await redis.flushall()
        redis.disconnect()
      },
      directory,
      workerFile,
      openStore: (port) =>
        redisStore({ url: `redis://127.0.0.1:${port}`, requestTimeoutMs: 1_000 }),
      faketime: existsSync(FAKETIME) ? FAKETIME : undefined,
      onProgress: (done) => console.log(`${done} faults`),
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  },
  300_000 + faults * 6_000,
)
