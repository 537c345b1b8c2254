import { join } from 'node:path'
import { localStore } from '@nexus/event-bus'
import { killRounds } from '@nexus/event-bus/conformance'
import { bundleWorker, killChoice, untilTestEnds } from '@nexus/test-kit'
import { expect, it } from 'vitest'

// pnpm --filter @nexus/event-bus kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const { rounds, seed } = killChoice(4)

it(`loses nothing that was acked when it is killed at any moment (seed ${seed})`, async () => {
  const source = join(import.meta.dirname, 'kill-worker.ts')
  const { directory, workerFile } = await untilTestEnds(bundleWorker(source))
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
}, 600_000)
