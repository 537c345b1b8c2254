import { JetStreamApiError } from '@nats-io/jetstream'
import { AuthorizationError } from '@nats-io/transport-node'
import { EventBusError } from '@nexus/event-bus'
import { parseAddress } from './open-connection.js'

const NOT_ENABLED = 10076

/** Codes of JetStream for what the bus cannot repair by asking again. */
const ADVICE: { codes: number[]; advice: string }[] = [
  {
    codes: [NOT_ENABLED, 10039],
    advice:
      'start the server with JetStream (nats-server -js, or jetstream {} in its configuration), and let the account use it',
  },
  {
    codes: [10002, 10023, 10028, 10047, 10077],
    advice:
      'the store is full: raise max_file_store of the server or the limits of the account, or let `retention` remove old events',
  },
  {
    codes: [10065],
    advice:
      'another stream takes the same subjects: remove it, or give this bus a `prefix` of its own',
  },
  {
    codes: [10005, 10074],
    advice: 'set `replicas` to at most the number of servers in the cluster',
  },
]

const FULL = new Set(ADVICE[1]!.codes)

/** Whether the server has no room for another message. */
export function isFull(error: unknown): boolean {
  return error instanceof JetStreamApiError && FULL.has(error.code)
}

/** Where the servers are, without user and password. */
export function redactServers(servers: readonly string[]): string {
  return servers.map((server) => parseAddress(server).host).join(', ')
}

/** The error for servers that cannot be reached or refuse. */
export function unavailable(servers: readonly string[], cause: unknown): EventBusError {
  if (cause instanceof EventBusError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const where = redactServers(servers)
  return new EventBusError(
    'STORE_UNAVAILABLE',
    `NATS at ${where}: ${reason}; ${adviceFor(cause)}`,
    {
      details: { servers: where },
      cause,
    },
  )
}

function adviceFor(cause: unknown): string {
  if (cause instanceof AuthorizationError) {
    return 'check user and password in `servers`, `token` or `credentials`'
  }
  if (cause instanceof Error && /consumer (deleted|not found)/i.test(cause.message)) {
    return 'the bus makes it again'
  }
  // The client makes this error itself, without a code of the server.
  const isDisabled = cause instanceof Error && /jetstream is not enabled/i.test(cause.message)
  const code =
    cause instanceof JetStreamApiError ? cause.code : isDisabled ? NOT_ENABLED : undefined
  const known = ADVICE.find(({ codes }) => codes.some((one) => one === code))
  return known ? known.advice : 'the bus reconnects by itself, ask again'
}
