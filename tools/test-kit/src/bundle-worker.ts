import { mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

/** A TypeScript program as one JavaScript file, in a directory of its own. */
export interface BundledWorker {
  directory: string
  workerFile: string
  remove(): void
}

/**
 * Bundles a program of a package's `test/`, so that a test can run it as a process of its own.
 *
 * @param source absolute path of the TypeScript file
 */
export async function bundleWorker(source: string): Promise<BundledWorker> {
  // Inside the package, so that the program finds the packages that are not bundled.
  const directory = mkdtempSync(join(dirname(source), '../node_modules/.worker-'))
  const workerFile = join(directory, 'worker.mjs')
  await build({
    entryPoints: [source],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@nexus/source'],
    external: ['@nats-io/*', 'ioredis', 'lmdb', 'fs-native-extensions', 'zod'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
  return {
    directory,
    workerFile,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
