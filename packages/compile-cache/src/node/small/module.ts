import { nodeError } from '../node-error.js'

/** Names that Node has; whether the sandbox has one shows when it is imported. */
export const builtinModules: readonly string[] = Object.freeze([
  'assert',
  'assert/strict',
  'async_hooks',
  'buffer',
  'child_process',
  'cluster',
  'console',
  'constants',
  'crypto',
  'dgram',
  'diagnostics_channel',
  'dns',
  'dns/promises',
  'domain',
  'events',
  'fs',
  'fs/promises',
  'http',
  'http2',
  'https',
  'inspector',
  'inspector/promises',
  'module',
  'net',
  'os',
  'path',
  'path/posix',
  'path/win32',
  'perf_hooks',
  'process',
  'punycode',
  'querystring',
  'readline',
  'readline/promises',
  'repl',
  'stream',
  'stream/consumers',
  'stream/promises',
  'stream/web',
  'string_decoder',
  'sys',
  'timers',
  'timers/promises',
  'tls',
  'trace_events',
  'tty',
  'url',
  'util',
  'util/types',
  'v8',
  'vm',
  'wasi',
  'worker_threads',
  'zlib',
])

export function isBuiltin(name: unknown): boolean {
  return builtinModules.includes(String(name).replace(/^node:/, ''))
}

/** @throws when the function that it gives is called: a handler's modules are put together before it runs */
export function createRequire(): (specifier: string) => never {
  return (specifier) => {
    throw nodeError(
      Error,
      'MODULE_NOT_FOUND',
      `Cannot find module '${specifier}': createRequire finds nothing in the sandbox. Import it, or require it by a literal name, so that it is bundled.`,
    )
  }
}

export default { builtinModules, createRequire, isBuiltin }
