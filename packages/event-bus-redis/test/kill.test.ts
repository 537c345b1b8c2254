import { join } from 'node:path'
import { killRounds } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { bundleWorker, hasRedis, startRedis, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

const faults = Number(process.env.NEXUS_FAULTS ?? 10)
const seed = Number(process.env.NEXUS_FAULTS_SEED ?? Date.now() % 1_000_000)

describe.skipIf(!hasRedis())(`the Redis store under load (seed ${seed})`, () => {
  it('loses nothing that was acked', async () => {
    const server = await untilTestEnds(startRedis())
    const source = join(import.meta.dirname, 'kill-worker.ts')
    const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
    const url = `redis://${server.address}`
    const report = await killRounds({
      faults,
      seed,
      server,
      directory,
      workerFile,
      workers: 2,
      freezeMs: 3_000,
      environment: { KILL_STORE: url },
      openStore: () => redisStore({ url }),
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  }, 600_000)
})
