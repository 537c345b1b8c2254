import { defineGlobal } from '../define-global.js'
import { nodeError } from '../node-error.js'
import { platformHost } from '../platform-host.js'
import { nextTick } from './next-tick.js'

/** The version whose behaviour the modules have: the oldest that Nexus runs on. */
const VERSION = '20.19.0'

type Listener = (...args: unknown[]) => void

/** Only names and values that are text: as in Node. */
const env = new Proxy({} as Record<string, string>, {
  get: (_target, name) => (typeof name === 'string' ? platformHost.env[name] : undefined),
  has: (_target, name) => Object.hasOwn(platformHost.env, name),
  ownKeys: () => Reflect.ownKeys(platformHost.env),
  getOwnPropertyDescriptor: (_target, name) => {
    if (!Object.hasOwn(platformHost.env, name)) return undefined
    const value = platformHost.env[name as string]
    return { value, writable: true, enumerable: true, configurable: true }
  },
  set: (_target, name, value) => {
    if (typeof name === 'symbol' || typeof value === 'symbol') {
      throw new TypeError('Cannot convert a Symbol value to a string')
    }
    return Reflect.set(platformHost.env, name, String(value))
  },
  defineProperty: (_target, name, { value }) => Reflect.set(platformHost.env, name, String(value)),
  deleteProperty: (_target, name) => Reflect.deleteProperty(platformHost.env, name),
})

const listeners = new Map<unknown, Listener[]>()
const listenersOf = (event: unknown) => listeners.get(event) ?? []

function on(event: unknown, listener: Listener): typeof process {
  listeners.set(event, [...listenersOf(event), listener])
  return process
}

function off(event: unknown, listener: Listener): typeof process {
  const kept = listenersOf(event)
  const at = kept.lastIndexOf(listener)
  if (at >= 0) listeners.set(event, kept.toSpliced(at, 1))
  return process
}

function once(event: unknown, listener: Listener): typeof process {
  const wrapped: Listener = (...args) => {
    off(event, wrapped)
    listener(...args)
  }
  return on(event, wrapped)
}

function emit(event: unknown, ...args: unknown[]): boolean {
  const found = listenersOf(event)
  for (const listener of found) listener.apply(process, args)
  return found.length > 0
}

function hrtime(previous?: readonly [number, number]): [number, number] {
  const now = performance.now()
  let seconds = Math.floor(now / 1000)
  let nanoseconds = Math.floor((now % 1000) * 1e6)
  if (previous === undefined) return [seconds, nanoseconds]
  seconds -= previous[0]
  nanoseconds -= previous[1]
  return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds]
}
hrtime.bigint = (): bigint => BigInt(Math.floor(performance.now() * 1e6))

function outputTo(write: (line: string) => void, fd: number) {
  let rest = ''
  return {
    fd,
    isTTY: false,
    writable: true,
    columns: undefined,
    write(chunk: unknown, ...others: unknown[]): boolean {
      const lines = (
        rest + (typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk as Uint8Array))
      ).split('\n')
      rest = lines.pop()!
      for (const line of lines) write(line)
      if (rest !== '') {
        // What has no line break is a line of the log all the same.
        write(rest)
        rest = ''
      }
      const done = others.find((other) => typeof other === 'function') as (() => void) | undefined
      if (done) nextTick(done)
      return true
    },
    end: () => undefined,
    on: () => undefined,
    once: () => undefined,
    emit: () => false,
    removeListener: () => undefined,
    hasColors: () => false,
    getColorDepth: () => 1,
  }
}

function refused(name: string, why: string) {
  return (): never => {
    throw nodeError(
      Error,
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      `process.${name} is not available: ${why}`,
    )
  }
}

const ENDS = 'a handler ends when it returns or throws'

/** `process`: what a handler may know of the process, which is little. */
const process = {
  title: 'node',
  version: `v${VERSION}`,
  versions: { node: VERSION },
  release: { name: 'node', lts: 'Iron' },
  arch: 'x64',
  platform: 'linux',
  pid: 1,
  ppid: 0,
  argv: ['node', 'handler'],
  argv0: 'node',
  execArgv: [] as string[],
  execPath: 'node',
  exitCode: undefined as number | undefined,
  env,
  config: { target_defaults: {}, variables: {} },
  features: { inspector: false, debug: false, uv: false, ipv6: false, tls: false },
  stdout: outputTo((line) => console.log(line), 1),
  stderr: outputTo((line) => console.error(line), 2),
  stdin: { fd: 0, isTTY: false },
  nextTick,
  hrtime,
  uptime: () => performance.now() / 1000,
  cwd: () => '/',
  umask: () => 0o22,
  memoryUsage: Object.assign(
    () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    { rss: () => 0 },
  ),
  cpuUsage: () => ({ user: Math.floor(performance.now() * 1000), system: 0 }),
  resourceUsage: () => ({ userCPUTime: Math.floor(performance.now() * 1000), systemCPUTime: 0 }),
  emitWarning(warning: unknown, typeOrOptions?: unknown) {
    const type =
      typeof typeOrOptions === 'string'
        ? typeOrOptions
        : (typeOrOptions as { type?: string } | undefined)?.type
    const isError = warning instanceof Error
    console.warn(
      `(node) ${isError ? warning.name : (type ?? 'Warning')}: ${isError ? warning.message : String(warning)}`,
    )
  },
  on,
  addListener: on,
  prependListener: on,
  once,
  prependOnceListener: once,
  off,
  removeListener: off,
  removeAllListeners(event?: unknown) {
    if (event === undefined) listeners.clear()
    else listeners.delete(event)
    return process
  },
  emit,
  listeners: (event: unknown) => [...listenersOf(event)],
  listenerCount: (event: unknown) => listenersOf(event).length,
  eventNames: () => [...listeners.keys()],
  setMaxListeners: () => process,
  getMaxListeners: () => 10,
  setUncaughtExceptionCaptureCallback: () => undefined,
  hasUncaughtExceptionCaptureCallback: () => false,
  exit: refused('exit', ENDS),
  reallyExit: refused('reallyExit', ENDS),
  abort: refused('abort', ENDS),
  kill: refused('kill', 'the sandbox has no other processes'),
  chdir: refused('chdir', 'the sandbox has no files'),
  binding: refused('binding', 'the sandbox has no native modules'),
  dlopen: refused('dlopen', 'the sandbox has no native modules'),
}
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true })
defineGlobal('process', process)

const {
  nextTick: _tick,
  hrtime: _time,
  on: _on,
  once: _once,
  off: _off,
  emit: _emit,
  env: _env,
  ...others
} = process

export { emit, env, hrtime, nextTick, off, on, once }
export const {
  arch,
  argv,
  argv0,
  binding,
  chdir,
  config,
  cpuUsage,
  cwd,
  emitWarning,
  execArgv,
  execPath,
  exit,
  features,
  kill,
  listenerCount,
  listeners: listenersOfEvent,
  memoryUsage,
  pid,
  platform,
  ppid,
  release,
  removeAllListeners,
  removeListener,
  addListener,
  stderr,
  stdin,
  stdout,
  title,
  umask,
  uptime,
  version,
  versions,
} = others
export default process
