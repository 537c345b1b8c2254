import { join } from 'node:path'
import { serverKillCases } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import {
  type BundledWorker,
  bundleWorker,
  hasNats,
  type ServerProcess,
  startNats,
} from '@nexus/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

// pnpm --filter @nexus/event-bus-nats kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const rounds = Number(process.env.KILL_ROUNDS ?? 3)
const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)

describe.skipIf(!hasNats())(`the NATS store under load (seed ${seed})`, () => {
  let server: ServerProcess
  let worker: BundledWorker

  beforeEach(async () => {
    server = await startNats()
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
    environment: { KILL_STORE: `nats://${server.address}` },
    openStore: () => natsStore({ servers: [`nats://${server.address}`] }),
    // It writes the acks of a consumer down some ten times a second, in place: what it had not written is
    // delivered once more, and with a file torn by the kill the consumer begins anew.
    forgetsAcks: true,
  })

  for (const { name, run } of serverKillCases) {
    it(name, async () => {
      const report = await run(plan())
      console.log(JSON.stringify(report))
      expect(report.acked).toBeGreaterThan(0)
    }, 600_000)
  }
})
