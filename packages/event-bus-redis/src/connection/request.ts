import { EventBusError } from '@nexus/event-bus'
import type { Redis } from 'ioredis'
import { lastErrorOf } from './connection.js'

/** A timer that is this late was delayed by the process itself: answers may be there that it has not read. */
const LATE_MS = 100

/** The socket of a connection that was left; ioredis adds a listener each time it is asked to leave one. */
const leftSockets = new WeakMap<Redis, Redis['stream']>()

/** Ends a connection that does not answer, which then opens again; once, however many requests it did not answer. */
function leave(connection: Redis): void {
  if (leftSockets.get(connection) === connection.stream) return
  leftSockets.set(connection, connection.stream)
  connection.disconnect(true)
}

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
        leave(connection)
        reject(new Error(`no answer for ${timeoutMs} ms`))
      }, timeoutMs)
    }
    wait()
  })
  try {
    return await Promise.race([request, timeout])
  } catch (cause) {
    throw unavailable(url, cause, lastErrorOf(connection))
  } finally {
    clearTimeout(timer)
  }
}

/** What an answer of the server means, and what to do about it. */
const ADVICE: readonly [answer: RegExp, advice: string][] = [
  [/^(WRONGPASS|NOAUTH|ERR AUTH)/, 'the server refuses the user or password: correct them in url'],
  [/^NOPERM/, 'the user may not do this: allow it the keys, channels and commands of the bus'],
  [/^OOM/, 'the memory of the server is full: set retention, or raise maxmemory'],
  [/^READONLY/, 'the server is a replica now: the bus connects again, ask again'],
  [/^LOGDAMAGED/, 'the bus repairs it within seconds, ask again'],
  [/^MISCONF/, 'the server cannot write to its disk: free or repair it, then ask again'],
  [/^(MOVED|CROSSSLOT|CLUSTERDOWN)/, 'the server belongs to a cluster: use one that does not'],
]
const AWAY = 'the bus connects again by itself, ask again'
/** What ioredis says of a request that could not be sent. */
const NOT_SENT = /^(Connection is closed|Stream isn't writeable|Reached the max retries)/

/** Answers of a server that is not ready at the moment; it takes the same request later. */
const TRANSIENT =
  /^(WRONGPASS|NOAUTH|NOPERM|OOM|READONLY|MISCONF|MOVED|CROSSSLOT|CLUSTERDOWN|LOADING|BUSY|MASTERDOWN|NOREPLICAS|TRYAGAIN|UNKILLABLE|NOSCRIPT|LOGDAMAGED)/

/** Whether the server understood the request and will refuse it however often it comes. */
export function isRefusedForGood(error: unknown): boolean {
  const cause = error instanceof EventBusError ? error.cause : error
  return cause instanceof Error && cause.name === 'ReplyError' && !TRANSIENT.test(cause.message)
}

/** The error for a server that cannot be reached or refuses: one line that says what is wrong and what to do. */
export function unavailable(url: string, cause: unknown, lastError?: Error): EventBusError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const told = withoutCommand(
    NOT_SENT.test(error.message) && lastError !== undefined ? lastError : error,
  )
  const advice = ADVICE.find(([answer]) => answer.test(told.message))?.[1] ?? AWAY
  return new EventBusError(
    'STORE_UNAVAILABLE',
    `Redis at ${redactUrl(url)}: ${told.message.split('\n')[0]}; ${advice}`,
    { details: { server: redactUrl(url) }, cause: told },
  )
}

/** ioredis puts the command into its errors, with its passwords and data. */
function withoutCommand({ name, message, stack }: Error): Error {
  return Object.assign(new Error(message), { name, stack })
}
