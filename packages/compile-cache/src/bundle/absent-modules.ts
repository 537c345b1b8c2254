import type { OnLoadResult, OnResolveArgs, OnResolveResult, PluginBuild } from 'esbuild'

const NAMESPACE = 'absent'

/** A package or a path beside the file; not an address, nor a path of the machine. */
const MAY_BE_OPTIONAL = /^(?:node:)?[@\w][^:\\]*$|^\.{1,2}\//

/**
 * Whether code may ask for the module without needing it: `try { require('fs') } catch {}`, `import('fs').catch(…)`. esbuild
 * knows which `require` and `import()` stand in such a place, and takes no offence there at what it cannot find.
 */
export function mayBeOptional({ path, kind }: OnResolveArgs): boolean {
  return (kind === 'require-call' || kind === 'dynamic-import') && MAY_BE_OPTIONAL.test(path)
}

/** A module that fails when it is asked for, as one fails in Node that is not there. */
export function absentModule({ path, kind }: OnResolveArgs): OnResolveResult {
  return { path, namespace: NAMESPACE, pluginData: kind }
}

/** Has the build load what {@link absentModule} answered. */
export function loadAbsentModules(build: PluginBuild): void {
  build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path, pluginData }) =>
    textOf(path, pluginData === 'dynamic-import' ? 'ERR_MODULE_NOT_FOUND' : 'MODULE_NOT_FOUND'),
  )
}

function textOf(specifier: string, code: string): OnLoadResult {
  const message = JSON.stringify(`Cannot find module '${specifier}'`)
  return {
    contents: `throw Object.assign(new Error(${message}), { code: '${code}' })\nmodule.exports = {}`,
    loader: 'js',
  }
}
