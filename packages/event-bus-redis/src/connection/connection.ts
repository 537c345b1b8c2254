import { Redis } from 'ioredis'
import type { ResolvedRedisStoreOptions } from '../options.js'

/** Longest wait between two attempts to reach the server. */
const MAX_RECONNECT_MS = 2_000

/** Why a connection was lost or refused last; ioredis says only that it is closed. */
const lastErrors = new WeakMap<Redis, Error>()

/** The last error of the connection itself since it was ready. */
export function lastErrorOf(connection: Redis): Error | undefined {
  return lastErrors.get(connection)
}

/**
 * A connection that fails requests at once while the server is away, and comes back by itself. Requests
 * are not stored and sent later: the caller was told that they failed. A server that became a replica is left: its name may
 * stand for another server by now.
 */
export function createConnection({
  url,
  tls,
  requestTimeoutMs,
}: Pick<ResolvedRedisStoreOptions, 'url' | 'tls' | 'requestTimeoutMs'>): Redis {
  const connection = new Redis(url, {
    ...(tls !== undefined && { tls: { ...tls } as Record<string, string> }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: requestTimeoutMs,
    keepAlive: 10_000,
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    retryStrategy: (times) => Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(times, 8)),
  })
  connection.on('ready', () => lastErrors.delete(connection))
  // Without a listener ioredis prints errors; the requests that failed tell the same. And it hears only the
  // first one of a socket: another, such as a TLS alert after a refused certificate, would end the process.
  let guarded: Redis['stream'] | undefined
  connection.on('error', (error: Error) => {
    lastErrors.set(connection, error)
    // An attempt that fails before it has a socket leaves the one of the attempt before.
    if (connection.stream === guarded) return
    guarded = connection.stream
    guarded?.on('error', () => {})
  })
  return connection
}
