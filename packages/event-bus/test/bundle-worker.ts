import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Bundles a TypeScript program of this folder, so that a test can run it as a process of its own. */
export async function bundleWorker(
  source: string,
): Promise<{ directory: string; workerFile: string }> {
  // Inside the package, so that the program finds the packages that are not bundled.
  const directory = mkdtempSync(join(import.meta.dirname, '../node_modules/.worker-'))
  const workerFile = join(directory, 'worker.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, source)],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@nexus/source'],
    external: ['lmdb', 'fs-native-extensions', 'zod', 'eventemitter3'],
  })
  return { directory, workerFile }
}
