import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { KILL_CONCURRENCY, killRounds } from '@nexus/event-bus/conformance'
import { natsStore } from '@nexus/event-bus-nats'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasNats, NatsServer } from './nats-server.js'

// pnpm --filter @nexus/event-bus-nats kill-test runs 50 rounds; KILL_ROUNDS and KILL_SEED choose others.
const rounds = Number(process.env.KILL_ROUNDS ?? 3)
const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)
/** Claims a worker may hold: those that run in two groups, and those that wait for their turn. */
const CLAIMED = 3 * KILL_CONCURRENCY + 100

describe.skipIf(!hasNats())(`the NATS store under load (seed ${seed})`, () => {
  let directory: string
  let workerFile: string
  let server: NatsServer

  beforeEach(async () => {
    server = await NatsServer.start()
    // Inside the package, so that the bundled worker finds the packages that are not bundled.
    directory = mkdtempSync(join(import.meta.dirname, '../node_modules/.kill-'))
    workerFile = join(directory, 'worker.mjs')
    await build({
      entryPoints: [join(import.meta.dirname, 'kill-worker.ts')],
      outfile: workerFile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@nexus/source'],
      external: ['@nats-io/*', 'zod', 'lmdb', 'fs-native-extensions'],
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
      },
    })
  })

  afterEach(async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const plan = () => ({
    seed,
    directory,
    workerFile,
    workers: 2,
    environment: { KILL_STORE: server.url },
    openStore: () => natsStore({ servers: [server.url] }),
  })

  it('loses nothing that was acked when workers and the server are killed', async () => {
    const report = await killRounds({
      ...plan(),
      rounds,
      disturb: async (random, workers, handled) => {
        if (random() < 0.5) return 0
        await server.kill()
        // The server writes the acks of a consumer down some ten times a second, in place: what it had not
        // written is delivered once more, and with a file torn by the kill the consumer begins anew.
        const forgotten = handled()
        await server.restart()
        return forgotten + workers.length * CLAIMED
      },
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  }, 600_000)

  it('gives the work of a consumer that stands still to the others', async () => {
    const report = await killRounds({
      ...plan(),
      rounds: 1,
      disturb: async (_, workers) => {
        workers[0]!.kill('SIGSTOP')
        // Longer than the two seconds after which a claim lapses.
        await new Promise((resolve) => setTimeout(resolve, 3_000))
        workers[0]!.kill('SIGCONT')
        await new Promise((resolve) => setTimeout(resolve, 500))
        return CLAIMED
      },
    })
    console.log(JSON.stringify(report))
    expect(report.acked).toBeGreaterThan(0)
  }, 120_000)
})
