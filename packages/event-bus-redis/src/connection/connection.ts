import { Redis } from 'ioredis'
import type { ResolvedRedisStoreOptions } from '../options.js'

/** Longest wait between two attempts to reach the server. */
const MAX_RECONNECT_MS = 2_000

/**
 * A connection that fails requests at once while the server is away, and comes back by itself. Requests
 * are not kept and sent later: whoever asked was told that they failed.
 */
export function createConnection(
  {
    url,
    tls,
    requestTimeoutMs,
  }: Pick<ResolvedRedisStoreOptions, 'url' | 'tls' | 'requestTimeoutMs'>,
  options: { resubscribe?: boolean } = {},
): Redis {
  const connection = new Redis(url, {
    ...(tls !== undefined && { tls: { ...tls } as Record<string, string> }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: options.resubscribe ?? false,
    maxRetriesPerRequest: 0,
    connectTimeout: requestTimeoutMs,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(times, 8)),
  })
  // Without a listener ioredis prints errors; the requests that failed tell the same. And it hears only the
  // first one of a socket: another, such as a TLS alert after a refused certificate, would end the process.
  connection.on('error', () => connection.stream?.on('error', () => {}))
  return connection
}
