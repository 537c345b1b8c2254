import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import entries from '../src/node/entries.json' with { type: 'json' }

const SOURCES = fileURLToPath(new URL('../src/node', import.meta.url))
const OUTPUT = fileURLToPath(new URL('../dist/node', import.meta.url))

/** What a library wants of Node is our module of that name, and what it would polyfill is there. */
const builtins: Plugin = {
  name: 'node modules of the platform',
  setup(build) {
    const names = new RegExp(`^(?:node:)?(${builtinModules.join('|')})/?$`)
    build.onResolve({ filter: names }, ({ path }) => {
      const name = names.exec(path)![1]!
      const file = (entries as Record<string, string>)[name]
      if (!file) throw new Error(`A module of the platform imports ${path}, which is not there`)
      return { path: join(SOURCES, file), sideEffects: false }
    })
    build.onResolve({ filter: /^\.\/validators$/ }, ({ importer }) =>
      importer.includes('node-path')
        ? { path: join(SOURCES, 'text/path-validators.ts'), sideEffects: false }
        : undefined,
    )
    build.onLoad(
      { filter: /node-inspect-extracted[\\/]dist[\\/]inspect\.js$/ },
      async ({ path }) => ({
        // It takes the methods of every global of the language for itself; the sandbox has no Atomics.
        contents: (await readFile(path, 'utf8')).replace('"Atomics",', ''),
      }),
    )
    build.onResolve({ filter: /^abort-controller$/ }, () => ({
      path: join(SOURCES, 'small/abort-controller.ts'),
      sideEffects: false,
    }))
  },
}

/**
 * Bundles Node's modules for the sandbox, each to one text beside what they share, and names the version of them all:
 * a change of any byte is a change of the version.
 */
export async function buildNodeModules(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: Object.entries(entries).map(([name, file]) => ({
      in: join(SOURCES, file),
      out: name,
    })),
    absWorkingDir: resolve(SOURCES, '../..'),
    outdir: OUTPUT,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import', 'default'],
    target: 'es2023',
    chunkNames: 'shared/[hash]',
    minifySyntax: true,
    minifyWhitespace: true,
    treeShaking: true,
    // Class names show: in errors, in what `inspect` gives, and to programs that look at `constructor.name`.
    keepNames: true,
    legalComments: 'inline',
    define: { 'process.env.NODE_ENV': '"production"', 'globalThis.Buffer': 'Buffer' },
    inject: [join(SOURCES, 'bytes/global-buffer.ts')],
    plugins: [builtins],
    logLevel: 'warning',
  })
  await rm(OUTPUT, { recursive: true, force: true })
  const hash = createHash('sha256')
  for (const { path, contents } of outputFiles.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${relative(OUTPUT, path)}\0${contents.length}\0`).update(contents)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, contents)
  }
  const manifest = {
    version: hash.digest('hex').slice(0, 16),
    modules: Object.keys(entries).sort(),
  }
  await writeFile(join(OUTPUT, 'modules.json'), JSON.stringify(manifest))
}
