import { mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }

/** A TypeScript program of this folder, bundled so that tests can run it in processes of its own. */
export class Worker {
  readonly file: string
  readonly #directory: string

  private constructor(directory: string, file: string) {
    this.#directory = directory
    this.file = file
  }

  static async bundle(source: string): Promise<Worker> {
    // Inside the package, so that the program finds the packages that are not bundled.
    const directory = mkdtempSync(join(import.meta.dirname, '../node_modules/.worker-'))
    const file = join(directory, `${basename(source, '.ts')}.mjs`)
    await build({
      entryPoints: [join(import.meta.dirname, source)],
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@nexus/source'],
      external: [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)],
    })
    return new Worker(directory, file)
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
