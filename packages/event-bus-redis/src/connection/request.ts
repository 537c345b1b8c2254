import { EventBusError } from '@nexus/event-bus'
import type { Redis } from 'ioredis'

/** A timer that is this late was held up by the process itself: answers may be there that it has not read. */
const LATE_MS = 100

/** Where the server is, without user and password. */
export function redactUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/**
 * Waits for an answer, for a limited time: after that the connection is taken for dead, since what stalls
 * one request stalls all behind it.
 *
 * @throws EventBusError `STORE_UNAVAILABLE`
 */
export async function answered<T>(
  connection: Redis,
  request: Promise<T>,
  url: string,
  timeoutMs: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    const wait = () => {
      const dueAt = performance.now() + timeoutMs
      timer = setTimeout(() => {
        if (performance.now() > dueAt + LATE_MS) return wait()
        connection.disconnect(true)
        reject(new Error(`no answer for ${timeoutMs} ms`))
      }, timeoutMs)
    }
    wait()
  })
  try {
    return await Promise.race([request, timeout])
  } catch (cause) {
    throw unavailable(url, cause)
  } finally {
    clearTimeout(timer)
  }
}

/** The error for a server that cannot be reached or refuses. */
export function unavailable(url: string, cause: unknown): EventBusError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EventBusError(
    'STORE_UNAVAILABLE',
    `Redis at ${redactUrl(url)}: ${reason}; the bus reconnects by itself, ask again`,
    { details: { server: redactUrl(url) }, cause },
  )
}
