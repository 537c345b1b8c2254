import { join } from 'node:path'
import { serverKillCases } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import {
  type BundledWorker,
  bundleWorker,
  hasRedis,
  type ServerProcess,
  startRedis,
} from '@nexus/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

// pnpm --filter @nexus/event-bus-redis kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const rounds = Number(process.env.KILL_ROUNDS ?? 3)
const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)

describe.skipIf(!hasRedis())(`the Redis store under load (seed ${seed})`, () => {
  let server: ServerProcess
  let worker: BundledWorker

  beforeEach(async () => {
    server = await startRedis()
    worker = await bundleWorker(join(import.meta.dirname, 'kill-worker.ts'))
  })

  afterEach(async () => {
    await server.stop()
    worker.remove()
  })

  const plan = () => ({
    rounds,
    seed,
    server,
    directory: worker.directory,
    workerFile: worker.workerFile,
    environment: { KILL_STORE: `redis://${server.address}` },
    openStore: () => redisStore({ url: `redis://${server.address}` }),
    forgetsAcks: false,
  })

  for (const { name, run } of serverKillCases) {
    it(name, async () => {
      const report = await run(plan())
      console.log(JSON.stringify(report))
      expect(report.acked).toBeGreaterThan(0)
    }, 600_000)
  }
})
