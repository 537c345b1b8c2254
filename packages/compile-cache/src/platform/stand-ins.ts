import type { OnLoadResult, OnResolveResult, PluginBuild } from 'esbuild'

const NAMESPACE = 'stand-in'

/**
 * Packages that import modules of Node for one of the things that they can do, and do the others without. Each is run by a test
 * (`test/packages` in @nexus/executor); every other package that imports such a module is refused.
 */
const PARTLY_USABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // Composes mails without reading a file and without a connection.
  ['nodemailer', new Set(['child_process', 'dns', 'fs', 'net', 'tls'])],
  // Sends what is not a file. The first of these is behind node-fetch, and that behind the libraries of Google.
  ['fetch-blob', new Set(['fs'])],
  ['node-fetch', new Set(['net'])],
  ['@slack/web-api', new Set(['fs'])],
  // Signs and asks for tokens with credentials that are given, not looked for.
  ['google-auth-library', new Set(['child_process', 'fs'])],
  ['gcp-metadata', new Set(['fs'])],
  // Makes agents for proxies, which a request refuses.
  ['agent-base', new Set(['net', 'tls'])],
  ['https-proxy-agent', new Set(['net', 'tls'])],
  // Renders templates that are given as text.
  ['jstransformer', new Set(['fs'])],
  ['pug', new Set(['fs'])],
  ['pug-load', new Set(['fs'])],
  ['resolve', new Set(['fs'])],
  // Reads and writes text and streams.
  ['@fast-csv/format', new Set(['fs'])],
  ['@fast-csv/parse', new Set(['fs'])],
  // Reads arguments without starting a program.
  ['commander', new Set(['child_process', 'fs'])],
  // Asks what it runs on at most.
  ['stripe', new Set(['child_process', 'fs'])],
  // Makes forms of what is not a file.
  ['form-data', new Set(['fs'])],
])

/**
 * What a package gets in place of a module that the sandbox does not have.
 *
 * @param packageName of the file that imports
 * @returns undefined where it must be refused
 */
export function standIn(
  specifier: string,
  packageName: string | undefined,
): OnResolveResult | undefined {
  const name = specifier.replace(/^node:/, '').replace(/\/.*$/, '')
  if (packageName === undefined || !PARTLY_USABLE.get(packageName)?.has(name)) return undefined
  return { path: specifier, namespace: NAMESPACE, pluginData: packageName, sideEffects: false }
}

/** Has the build load what {@link standIn} answered: whatever is taken of it fails when it is called. */
export function loadStandIns(build: PluginBuild): void {
  build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path, pluginData }) =>
    textOf(path, pluginData),
  )
}

/** The names are those of a prototype: a package that copies the module's own properties copies none. */
function textOf(specifier: string, packageName: string): OnLoadResult {
  const message = `: ${packageName} wants the Node.js built-in "${specifier}", which the sandbox does not have`
  return {
    contents: `
const missing = (name) => new Proxy(function () {}, {
  get: (target, key) => key in target || typeof key === 'symbol' ? target[key] : missing(name + '.' + key),
  apply() { throw failure(name) },
  construct() { throw failure(name) },
})
const failure = (name) => Object.assign(new Error(name + ${JSON.stringify(message)}), { code: 'MODULE_NOT_FOUND' })
const names = new Proxy({}, {
  get: (_, key) => typeof key === 'symbol' || key === '__esModule' || key === 'then' ? undefined : missing(key),
})
module.exports = Object.create(names)`,
    loader: 'js',
  }
}
