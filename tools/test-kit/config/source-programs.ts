import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin as EsbuildPlugin } from 'esbuild'
import type { Plugin } from 'vitest/config'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))

/** A program as a package builds it: the files that it is made of, by the names of the built ones without their endings. */
interface Program {
  /** The first is the one that is started. */
  entries: Readonly<Record<string, string>>
  format: 'esm' | 'cjs'
}

/** The programs that packages start on threads or as processes of their own, by their built file. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  'apps/cli/dist/nexus.cjs': {
    entries: { nexus: 'src/nexus.ts', main: 'src/main.ts' },
    format: 'cjs',
  },
  'packages/compile-cache/dist/build-worker.js': worker('src/bundle/build-worker.ts'),
  'packages/compile-cache/dist/compile-worker.js': worker('src/engine/compile-worker.ts'),
  'packages/event-bus-nats/dist/claim-guard-worker.js': worker('src/claim-guard-worker.ts'),
  'packages/event-bus-redis/dist/claim-guard-worker.js': worker('src/claim-guard-worker.ts'),
  'packages/executor/dist/layout-worker.js': worker('src/wasi/module/layout-worker.ts'),
  'packages/executor/dist/worker.js': worker('src/threads/worker.ts'),
  'packages/process-manager/dist/daemon.cjs': {
    entries: { daemon: 'src/native/daemon/main.ts' },
    format: 'cjs',
  },
  'packages/process-manager/dist/native.js': {
    entries: { native: 'src/native/index.ts' },
    format: 'esm',
  },
  'packages/process-manager/dist/service-host.cjs': {
    entries: { 'service-host': 'src/warm-pool/service-host.ts' },
    format: 'cjs',
  },
}
const BUILT_PROGRAM = /new URL\('(\.\.\/dist\/[^']+)', import\.meta\.url\)/g

function worker(source: string): Program {
  return { entries: { worker: source }, format: 'esm' }
}

/**
 * Lets threads and processes run the TypeScript source in tests: where a file names one of the built programs, as
 * `new URL('../dist/…', import.meta.url)`, the test gets a bundle that was made of the source just now. A stale build can
 * then neither pass nor fail a test.
 */
export function sourcePrograms(): Plugin {
  const bundles = new Bundles()
  return {
    name: 'source-programs',
    enforce: 'pre',
    async transform(code, id) {
      const file = id.split('?')[0]!
      if (!isSource(file)) return undefined
      const changed = bundles.namedIn(code, file)
      if (changed === code) return undefined
      for (const input of await bundles.built()) this.addWatchFile(input)
      return { code: changed, map: null }
    },
    watchChange: () => bundles.forget(),
    closeBundle: () => bundles.remove(),
  }
}

interface Bundle {
  url: string
  /** The files it was made of, once it is built. */
  inputs: Promise<string[]>
}

/** Programs bundled from their source, each once. */
class Bundles {
  readonly #byEntry = new Map<string, Bundle>()
  readonly #directories: string[] = []

  forget(): void {
    this.#byEntry.clear()
  }

  remove(): void {
    for (const path of this.#directories) rmSync(path, { recursive: true, force: true })
  }

  /** The code with each built program that it names replaced by one made of the source, which is being built then. */
  namedIn(code: string, file: string): string {
    return code.replace(BUILT_PROGRAM, (expression, path: string) => {
      const built = relative(REPOSITORY, resolve(dirname(file), path))
      const program = PROGRAMS[built]
      if (program === undefined) return expression
      return `new URL(${JSON.stringify(this.#urlOf(join(REPOSITORY, built, '../..'), program))})`
    })
  }

  /** Resolves with the files of every bundle, once all are built. Programs may name each other, so none waits for another. */
  async built(): Promise<string[]> {
    const bundles = [...this.#byEntry.values()]
    const inputs = (await Promise.all(bundles.map((bundle) => bundle.inputs))).flat()
    return bundles.length === this.#byEntry.size ? inputs : await this.built()
  }

  #urlOf(root: string, program: Program): string {
    const [name, first] = Object.entries(program.entries)[0]!
    const key = join(root, first)
    const known = this.#byEntry.get(key)
    if (known) return known.url
    const directory = mkdtempSync(join(tmpdir(), 'nexus-test-program-'))
    this.#directories.push(directory)
    const url = pathToFileURL(join(directory, name + endingOf(program))).href
    this.#byEntry.set(key, { url, inputs: this.#bundle(root, directory, program) })
    return url
  }

  async #bundle(root: string, outdir: string, program: Program): Promise<string[]> {
    const { entries, format } = program
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const { metafile } = await esbuild().build({
      entryPoints: Object.entries(entries).map(([out, path]) => ({ in: join(root, path), out })),
      outdir,
      outExtension: { '.js': endingOf(program) },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format,
      sourcemap: 'inline',
      conditions: ['@nexus/source'],
      define: { NEXUS_VERSION: JSON.stringify(manifest.version ?? '') },
      external: ['./*.cjs'],
      plugins: [this.#sourceFiles(), this.#lazyPackages(), installedPackages(format)],
      metafile: true,
      logLevel: 'warning',
    })
    return Object.keys(metafile.inputs).map((path) => resolve(path))
  }

  /** In a bundle a source file still looks from where it lies, and starts programs made of the source too. */
  #sourceFiles(): EsbuildPlugin {
    return {
      name: 'source-files',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.ts$/ }, async ({ path }) => {
          if (!isSource(path)) return undefined
          const code = this.namedIn(await readFile(path, 'utf8'), path)
          const own = JSON.stringify(pathToFileURL(path).href)
          return { contents: code.replaceAll('import.meta.url', own), loader: 'ts' }
        }),
    }
  }

  /** Packages that a CommonJS program imports when it needs them: they are ES modules of their own, as when installed. */
  #lazyPackages(): EsbuildPlugin {
    return {
      name: 'lazy-packages',
      setup: ({ initialOptions, onResolve, resolve: resolveImport }) => {
        if (initialOptions.format !== 'cjs') return
        onResolve({ filter: /^@nexus\// }, async ({ path, kind, pluginData, resolveDir }) => {
          if (kind !== 'dynamic-import' || pluginData === 'resolving') return undefined
          const found = await resolveImport(path, { kind, resolveDir, pluginData: 'resolving' })
          if (found.errors.length > 0) return found
          const entries = { index: relative(REPOSITORY, found.path) }
          return { path: this.#urlOf(REPOSITORY, { entries, format: 'esm' }), external: true }
        })
      },
    }
  }
}

function endingOf({ format }: Program): string {
  return format === 'cjs' ? '.cjs' : '.mjs'
}

function isSource(file: string): boolean {
  return file.startsWith(REPOSITORY) && !file.includes('/node_modules/')
}

/** Other packages are imported from where the importing package has them, so that the bundle may lie anywhere. */
function installedPackages(format: Program['format']): EsbuildPlugin {
  return {
    name: 'installed-packages',
    setup({ onResolve, resolve: resolveImport }) {
      onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === 'resolving' || path.startsWith('@nexus/') || path.startsWith('node:')) {
          return undefined
        }
        const { importer, resolveDir, namespace } = from
        if (from.kind === 'entry-point') return undefined
        const required = format === 'cjs' && from.kind === 'import-statement'
        const kind = required ? 'require-call' : from.kind
        const found = await resolveImport(path, {
          importer,
          resolveDir,
          kind,
          namespace,
          pluginData: 'resolving',
        })
        if (found.errors.length > 0 || !found.path.startsWith('/')) return found
        const byPath = kind === 'require-call'
        return { path: byPath ? found.path : pathToFileURL(found.path).href, external: true }
      })
    },
  }
}

/** The esbuild of the test kit: vitest resolves the imports of this file from the package under test, which may have none. */
function esbuild(): typeof import('esbuild') {
  return createRequire(import.meta.url)('esbuild')
}
