import { join } from 'node:path'
import { serverKillCases } from '@nexus/event-bus/conformance'
import { redisStore } from '@nexus/event-bus-redis'
import { bundleWorker, hasRedis, killChoice, startRedis, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

// pnpm --filter @nexus/event-bus-redis kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const { rounds, seed } = killChoice(3)

describe.skipIf(!hasRedis())(`the Redis store under load (seed ${seed})`, () => {
  for (const { name, run } of serverKillCases) {
    it(name, async () => {
      const server = await untilTestEnds(startRedis())
      const source = join(import.meta.dirname, 'kill-worker.ts')
      const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
      const url = `redis://${server.address}`
      const report = await run({
        rounds,
        seed,
        server,
        directory,
        workerFile,
        environment: { KILL_STORE: url },
        openStore: () => redisStore({ url }),
        forgetsAcks: false,
      })
      console.log(JSON.stringify(report))
      expect(report.acked).toBeGreaterThan(0)
    }, 600_000)
  }
})
