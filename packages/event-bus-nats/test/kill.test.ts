import { join } from 'node:path'
import { killRounds } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { bundleWorker, hasNats, startNats, untilTestEnds } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'

const faults = Number(process.env.NEXUS_FAULTS ?? 10)
const seed = Number(process.env.NEXUS_FAULTS_SEED ?? Date.now() % 1_000_000)

describe.skipIf(!hasNats())(`the NATS store under load (seed ${seed})`, () => {
  it('loses nothing that was acked', async () => {
    const server = await untilTestEnds(startNats())
    const source = join(import.meta.dirname, 'kill-worker.ts')
    const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
    const url = `nats://${server.address}`
    const report = await killRounds({
      faults,
      seed,
      server,
      directory,
      workerFile,
      workers: 2,
      freezeMs: 3_000,
      environment: { KILL_STORE: url },
      openStore: () => natsStore({ servers: [url] }),
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  }, 600_000)
})
