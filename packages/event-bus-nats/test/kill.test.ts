import { join } from 'node:path'
import { serverKillCases } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, killChoice, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

// pnpm --filter @nexus/event-bus-nats kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const { rounds, seed } = killChoice(3)

describe.skipIf(!hasNats())(`the NATS store under load (seed ${seed})`, () => {
  for (const { name, run } of serverKillCases) {
    it(name, async () => {
      const server = await untilTestEnds(startNats())
      const source = join(import.meta.dirname, 'kill-worker.ts')
      const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
      const url = `nats://${server.address}`
      const report = await run({
        rounds,
        seed,
        server,
        directory,
        workerFile,
        environment: { KILL_STORE: url },
        openStore: () => natsStore({ servers: [url] }),
        // The server does, but what it hands out anew is compared with the records of the group.
        forgetsAcks: false,
      })
      console.log(JSON.stringify(report))
      expect(report.acked).toBeGreaterThan(0)
    }, 600_000)
  }
})
