import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin as EsbuildPlugin } from 'esbuild'
import type { Plugin } from 'vitest/config'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))

/** The programs that packages start on threads of their own: the built file, and what it is built from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'packages/compile-cache/dist/compile-worker.js': 'src/engine/compile-worker.ts',
  'packages/event-bus-nats/dist/claim-guard-worker.js': 'src/claim-guard-worker.ts',
  'packages/event-bus-redis/dist/claim-guard-worker.js': 'src/claim-guard-worker.ts',
  'packages/executor/dist/worker.js': 'src/threads/worker.ts',
}
const BUILT_PROGRAM = /new URL\('(\.\.\/dist\/[^']+)', import\.meta\.url\)/g

/**
 * Lets worker threads run the TypeScript source in tests: where a package names one of its built programs, as
 * `new URL('../dist/…', import.meta.url)`, the test gets a bundle that was made of the source just now. A stale build can
 * then neither pass nor fail a test.
 */
export function sourcePrograms(): Plugin {
  const bundled = new Map<string, Promise<Bundle>>()
  return {
    name: 'source-programs',
    enforce: 'pre',
    async transform(code, id) {
      const file = id.split('?')[0]!
      if (!file.startsWith(REPOSITORY) || file.includes('/node_modules/')) return undefined
      let changed = code
      for (const [expression, path] of code.matchAll(BUILT_PROGRAM)) {
        const built = resolve(dirname(file), path!)
        const source = PROGRAMS[relative(REPOSITORY, built)]
        if (source === undefined) continue
        let bundle = bundled.get(built)
        if (!bundle) {
          bundle = bundleSource(join(dirname(dirname(built)), source))
          bundled.set(built, bundle)
        }
        const { url, inputs } = await bundle
        for (const input of inputs) this.addWatchFile(input)
        changed = changed.replace(expression, `new URL(${JSON.stringify(url)})`)
      }
      return changed === code ? undefined : { code: changed, map: null }
    },
    watchChange: () => bundled.clear(),
  }
}

interface Bundle {
  url: string
  /** The files it was made of. */
  inputs: string[]
}

async function bundleSource(source: string): Promise<Bundle> {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-test-program-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const outfile = join(directory, `${basename(source, '.ts')}.mjs`)
  const { metafile } = await esbuild().build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'inline',
    conditions: ['@nexus/source'],
    plugins: [installedPackages],
    metafile: true,
    logLevel: 'warning',
  })
  const inputs = Object.keys(metafile.inputs).map((path) => resolve(path))
  return { url: pathToFileURL(outfile).href, inputs }
}

/** Other packages are imported from where the importing package has them, so that the bundle may lie anywhere. */
const installedPackages: EsbuildPlugin = {
  name: 'installed-packages',
  setup({ onResolve, resolve: resolveImport }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'resolving' || path.startsWith('@nexus/') || path.startsWith('node:')) {
        return undefined
      }
      const { importer, resolveDir, kind, namespace } = from
      if (kind === 'entry-point') return undefined
      const found = await resolveImport(path, {
        importer,
        resolveDir,
        kind,
        namespace,
        pluginData: 'resolving',
      })
      if (found.errors.length > 0 || !found.path.startsWith('/')) return found
      return { path: pathToFileURL(found.path).href, external: true }
    })
  },
}

/** The esbuild of the test kit: vitest resolves the imports of this file from the package under test, which may have none. */
function esbuild(): typeof import('esbuild') {
  return createRequire(import.meta.url)('esbuild')
}
