import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { localStore } from '@nexus/event-bus'
import { killRounds } from '@nexus/event-bus/conformance'
import { expect, it } from 'vitest'
import { bundleWorker } from './bundle-worker.js'

// pnpm --filter @nexus/event-bus kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const rounds = Number(process.env.KILL_ROUNDS ?? 4)
const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)

it(`loses nothing that was acked when it is killed at any moment (seed ${seed})`, async () => {
  const { directory, workerFile } = await bundleWorker('kill-worker.ts')
  try {
    const path = join(directory, 'store')
    const report = await killRounds({
      rounds,
      seed,
      directory,
      workerFile,
      workers: 1,
      environment: { KILL_STORE: path },
      openStore: () => localStore({ path }),
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 600_000)
