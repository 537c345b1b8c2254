import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node'
import type { ResolvedNatsStoreOptions } from '../nats-store-options.js'

/** What it takes to reach the servers. */
export type ConnectionOptions = Pick<
  ResolvedNatsStoreOptions,
  'servers' | 'token' | 'credentials' | 'tls' | 'requestTimeoutMs'
>

/** Connects; from then on the connection comes back by itself for as long as it takes. */
export function openConnection(options: ConnectionOptions): Promise<NatsConnection> {
  const addresses = options.servers.map(parseAddress)
  const authenticator = authenticatorOf(options, addresses)
  return connect({
    servers: addresses.map(({ host }) => host),
    ...(authenticator !== undefined && { authenticator }),
    ...((options.tls !== undefined || addresses.some(({ secure }) => secure)) && {
      tls: { ...options.tls, ...identityCheck(addresses) } as Record<string, string>,
    }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    timeout: options.requestTimeoutMs,
    pingInterval: options.requestTimeoutMs,
    maxPingOut: 2,
    ignoreClusterUpdates: false,
  })
}

export function parseAddress(server: string) {
  const url = new URL(server.includes('://') ? server : `nats://${server}`)
  return {
    host: url.host,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    secure: url.protocol === 'tls:',
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  }
}

/** The client compares the certificate of a server known by its IP address with `localhost`. */
function identityCheck(addresses: readonly { hostname: string }[]) {
  const hosts = addresses.map(({ hostname }) => hostname)
  if (!hosts.every((host) => isIP(host) !== 0)) return {}
  return {
    checkServerIdentity: (_: string, certificate: PeerCertificate): Error | undefined => {
      const mistakes = hosts.map((host) => checkServerIdentity(host, certificate))
      return mistakes.includes(undefined) ? undefined : mistakes[0]
    },
  }
}

function authenticatorOf(
  { token, credentials }: ConnectionOptions,
  addresses: readonly { user: string; password: string }[],
): Authenticator | undefined {
  if (credentials !== undefined) return credsAuthenticator(new TextEncoder().encode(credentials))
  if (token !== undefined) return tokenAuthenticator(token)
  const named = addresses.find(({ user }) => user !== '')
  return named && usernamePasswordAuthenticator(named.user, named.password)
}
