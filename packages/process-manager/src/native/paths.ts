import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ProcessManagerError } from '../errors.js'
import { serviceNamePattern } from '../service/service-name.js'

/** Where the native engine keeps its files. */
export interface NativePaths {
  /** Of this user alone (mode 0700). Everything else is in it. */
  root: string
  /** A Unix socket, or a named pipe on Windows. */
  socket: string
  /** Locked by the daemon as long as it lives. */
  lock: string
  /** There while a client starts the daemon. */
  startLock: string
  /** Every service as the daemon knows it, its environment included. */
  state: string
  /** What `save` wrote down. */
  saved: string
  /** What readers get to see; see `status-file.ts`. */
  status: string
  /** Touched by a reader who wants fresher figures. */
  statusWanted: string
  /** Directory of the logs of services. */
  logs: string
  /** Directory of what processes print until it is in the logs. */
  output: string
  /** What the daemon itself has to say. */
  daemonLog: string
}

/** `NEXUS_HOME`, else `$XDG_STATE_HOME/nexus`, else `~/.nexus`. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.NEXUS_HOME) return resolve(env.NEXUS_HOME)
  return env.XDG_STATE_HOME ? join(env.XDG_STATE_HOME, 'nexus') : join(homedir(), '.nexus')
}

/** The paths of a daemon whose home is this directory. */
export function nativePaths(home: string): NativePaths {
  const root = join(resolve(home), 'services')
  return {
    root,
    socket:
      process.platform === 'win32'
        ? `\\\\.\\pipe\\nexus-${hashOf(root)}`
        : join(root, 'daemon.sock'),
    lock: join(root, 'daemon.lock'),
    startLock: join(root, 'start.lock'),
    state: join(root, 'state.json'),
    saved: join(root, 'saved.json'),
    status: join(root, 'status.json'),
    statusWanted: join(root, 'status.wanted'),
    logs: join(root, 'logs'),
    output: join(root, 'output'),
    daemonLog: join(root, 'daemon.log'),
  }
}

/** Loaded on Windows alone: it takes every command longer than all the rest of reading the status. */
function hashOf(text: string) {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The log that a service writes now; older ones have `.1`, `.2`, … behind it. */
export function logFile(paths: NativePaths, name: string): string {
  // Every name becomes a path here: none may lead out of the directory.
  if (typeof name !== 'string' || !serviceNamePattern.test(name)) {
    throw new ProcessManagerError(
      'INVALID_DEFINITION',
      `${typeof name === 'string' ? JSON.stringify(name.slice(0, 200)) : typeof name} is no name of a service, so it has no log.`,
      { details: { name } },
    )
  }
  return join(paths.logs, `${name}.log`)
}

/** A socket's path is cut off by the system when it is longer than this. */
const MAX_SOCKET_BYTES = process.platform === 'linux' ? 107 : 103

/**
 * The address to bind or connect to. A path that is too long for one is reached through the open directory on Linux.
 *
 * @throws ProcessManagerError `HOME_UNUSABLE` where the system offers no such way
 */
export function socketAddress(paths: NativePaths, openRoot: () => number): string {
  const length = Buffer.byteLength(paths.socket)
  if (process.platform === 'win32' || length <= MAX_SOCKET_BYTES) return paths.socket
  if (process.platform === 'linux') return `/proc/self/fd/${openRoot()}/daemon.sock`
  throw new ProcessManagerError(
    'HOME_UNUSABLE',
    `The path of the daemon's socket may have ${MAX_SOCKET_BYTES} bytes, and ${paths.socket} has ${length}. Set NEXUS_HOME to a shorter directory.`,
    { details: { path: paths.socket, length } },
  )
}
