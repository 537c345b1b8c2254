/** How far a capability reaches: any address of a host that it names itself, public ones of the rest. */
export type NetGrant = 'named' | 'public'

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }
const TOKEN = /^net:(\*|(?:\*\.)?[^*:/@?#[\]]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}|\*))?$/

/** The token that would allow this URL. */
export function netToken({ hostname, port }: URL): string {
  return port === '' ? `net:${hostname}` : `net:${hostname}:${port}`
}

/**
 * What the granted tokens say of a URL, or `undefined` when none covers it.
 *
 * A token is read as a source of a Content-Security-Policy is: `net:api.example.com` is that host
 * on the default port of the scheme, `net:*.example.com` all its subdomains, `net:*` every host;
 * `:8443` after it is another port and `:*` any.
 */
export function netGrant(capabilities: readonly string[], url: URL): NetGrant | undefined {
  let grant: NetGrant | undefined
  for (const token of capabilities) {
    const [, host, port] = TOKEN.exec(token) ?? []
    if (host === undefined || !coversPort(port, url)) continue
    if (!host.startsWith('*')) {
      if (canonicalHost(host) === url.hostname) return 'named'
    } else if (host === '*' || url.hostname.endsWith(canonicalHost(host.slice(2), '.'))) {
      grant = 'public'
    }
  }
  return grant
}

function coversPort(granted: string | undefined, { port, protocol }: URL): boolean {
  if (granted === '*') return true
  const asked = port === '' ? DEFAULT_PORTS[protocol] : port
  return asked === (granted ?? DEFAULT_PORTS[protocol])
}

/** As `URL` writes it: lower case, Punycode, one form of each address. */
function canonicalHost(host: string, prefix = ''): string {
  const url = `http://${host}/`
  return URL.canParse(url) ? prefix + new URL(url).hostname : '\0'
}
