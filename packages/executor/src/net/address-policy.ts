import { lookup as lookupDns } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Gives the addresses of a host name, as `dns.lookup` does. */
export type ResolveHost = (
  hostname: string,
) => Promise<readonly { address: string; family: 4 | 6 }[]>

/** Azure's metadata and agent address, which lies among the public ones. */
const METADATA_ADDRESSES = ['168.63.129.16']

/** The only range of IPv6 that is routed globally (RFC 4291); what lies outside may embed IPv4 addresses. */
const GLOBAL_UNICAST = ipaddr.parse('2000::')

/** A host was not to be reached; the message says which and why. */
export class AddressRefused extends Error {
  override readonly name = 'PermissionError'
  readonly code = 'PERMISSION_DENIED'
}

export async function resolveWithSystem(hostname: string) {
  return (await lookupDns(hostname, { all: true })) as { address: string; family: 4 | 6 }[]
}

/**
 * Whether an address is one of the public internet: not private, loopback, link-local, unique
 * local, shared (CGNAT), multicast, reserved or a cloud's metadata service, in whatever form it is
 * written, and not a way around that through a translation or a tunnel of IPv6.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // Takes the IPv4 address out of ::ffff:a.b.c.d.
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast' || METADATA_ADDRESSES.includes(parsed.toString())) return false
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST, 3)
}

/** The address that a URL names instead of a host, without its brackets. */
export function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}

/**
 * A `lookup` for a socket that checks what it hands out: the socket connects to the very addresses
 * that were looked at, so that a second answer of the DNS server is never asked for.
 */
export function checkedLookup(
  resolveHost: ResolveHost,
  isAllowed: (address: string) => boolean,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        if (options.all) callback(null, addresses)
        else callback(null, addresses[0]!.address, addresses[0]!.family)
      },
      (error) => callback(error as NodeJS.ErrnoException, ''),
    )
  }

  async function resolve(hostname: string) {
    const addresses = [...(await resolveHost(hostname))]
    if (addresses.length === 0) throw new Error(`${hostname} has no address`)
    // One private address among public ones is how a name is made to point inside.
    if (!addresses.every(({ address }) => isAllowed(address))) {
      throw new AddressRefused(
        `${hostname} has an address that is not public; grant it with the capability net:${hostname}`,
      )
    }
    return addresses
  }
}
