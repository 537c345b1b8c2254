import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the built package lies. */
export const dist = new URL('../dist/', import.meta.url)

/** Fail loudly when the package has not been built, which worker threads and child processes need. */
export function requireBuild(): void {
  const missing = ['index.js', 'build-worker.js', 'compile-worker.js']
    .map((name) => fileURLToPath(new URL(name, dist)))
    .find((file) => !existsSync(file))
  if (missing === undefined) return
  throw new Error(
    `${missing} is missing: run "pnpm --filter @nexus/compile-cache build" before these tests`,
  )
}
