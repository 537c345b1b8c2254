import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const WORKER = fileURLToPath(new URL('../../../dist/worker.js', import.meta.url))

/** Threads run the built worker: without it these tests would test nothing. */
export function assertWorkerBuilt(): void {
  if (existsSync(WORKER)) return
  throw new Error(
    `${WORKER} is missing, and worker threads cannot start without it. Build it first: pnpm turbo run build --filter=@nexus/executor`,
  )
}
