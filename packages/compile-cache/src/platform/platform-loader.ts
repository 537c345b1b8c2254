import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import type { OnLoadResult, OnResolveArgs, OnResolveResult, PluginBuild } from 'esbuild'
import { type PlatformModules, platformModules } from './platform-modules.js'

/** Files of this package: no path of a handler names one. */
const MODULES = 'node'
/** What `require` gives: the default export, which is `module.exports` in Node. */
const REQUIRED = 'node-require'
const GLOBALS_NAMESPACE = 'node-globals'

/** The entry of `inject` that stands for the globals; no file has such a name. */
export const GLOBALS_ENTRY = '/\0/globals'

/** The globals of Node, and the module that brings each. */
const GLOBALS: Readonly<Record<string, string>> = {
  Buffer: "import { Buffer } from 'node:buffer'",
  process: "import process from 'node:process'",
  clearImmediate: "import { clearImmediate } from 'node:timers'",
  setImmediate: "import { setImmediate } from 'node:timers'",
  global: 'const global = globalThis',
}

/** The global object, for code that reads one of these globals as its property: it is there then. */
const objectWith = (name: string) => `nexus_global_with_${name}`

/** What a bundle gets of it when its code names one of these globals and declares none of that name. */
const GLOBALS_TEXT = `
${Object.values(GLOBALS).join('\n')}
export { ${Object.keys(GLOBALS).join(', ')} }
function withGlobal(name, value) {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
  return globalThis
}
${Object.keys(GLOBALS)
  .map(
    (name) => `export const ${objectWith(name)} = /* @__PURE__ */ withGlobal('${name}', ${name})`,
  )
  .join('\n')}
`

/** For `define` of esbuild: reading one of these globals of the global object, under any of its names, brings it. */
export const GLOBAL_PROPERTIES: Readonly<Record<string, string>> = Object.fromEntries(
  ['globalThis', 'global', 'self'].flatMap((object) =>
    Object.keys(GLOBALS).map((name) => [`${object}.${name}`, `${objectWith(name)}.${name}`]),
  ),
)

/** Whether Node itself has the module. */
export function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier)
}

/** Whether a name in a source map is of a module of the platform. */
export function isOfPlatform(source: string): boolean {
  return /^(?:node(?:-require|-globals)?|stand-in):/.test(source)
}

/** Answers what one build asks about the modules of the platform. */
export class PlatformLoader {
  readonly #modules: PlatformModules
  #keepsContexts = false

  constructor(modules: PlatformModules = platformModules()) {
    this.#modules = modules
  }

  /** Whether the bundle imports `async_hooks`, so that its async functions must keep contexts. */
  get keepsContexts(): boolean {
    return this.#keepsContexts
  }

  /** Has the build load what {@link resolve} found. */
  setup(build: PluginBuild): void {
    const namespaces = {
      [MODULES]: this.#loadModule,
      [REQUIRED]: loadRequired,
      [GLOBALS_NAMESPACE]: loadGlobals,
    }
    for (const [namespace, load] of Object.entries(namespaces)) {
      build.onLoad({ filter: /.*/, namespace }, ({ path }) => load(path))
    }
  }

  /** The answer to an import of one of these modules by another, and to {@link GLOBALS_ENTRY}. */
  resolveInside({ path, namespace, importer, kind }: OnResolveArgs): OnResolveResult | undefined {
    if (kind === 'entry-point' && path === GLOBALS_ENTRY)
      return { path: 'globals', namespace: GLOBALS_NAMESPACE, sideEffects: false }
    if (namespace === GLOBALS_NAMESPACE || namespace === REQUIRED) return this.#found(path)
    if (namespace !== MODULES) return undefined
    const place = posix.join(posix.dirname(importer), path)
    return { path: place, namespace: MODULES, sideEffects: false }
  }

  /** The answer to an import by a handler or a package, if the platform has such a module. */
  resolve({ path, kind }: OnResolveArgs): OnResolveResult | undefined {
    const name = isBuiltin(path) ? this.#modules.nameOf(path) : undefined
    if (name === undefined) return undefined
    if (name === 'async_hooks') this.#keepsContexts = true
    if (kind === 'require-call') return { path: name, namespace: REQUIRED }
    return this.#found(name)
  }

  #found(specifier: string): OnResolveResult {
    const name = this.#modules.nameOf(specifier)!
    return { path: `${name}.js`, namespace: MODULES, sideEffects: false }
  }

  readonly #loadModule = (path: string): OnLoadResult => ({
    contents: this.#modules.read(path),
    loader: 'js',
  })
}

function loadRequired(name: string): OnLoadResult {
  return { contents: `module.exports = require('node:${name}').default`, loader: 'js' }
}

function loadGlobals(): OnLoadResult {
  return { contents: GLOBALS_TEXT, loader: 'js' }
}
