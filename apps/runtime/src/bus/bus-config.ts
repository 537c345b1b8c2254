import type { RetentionOptions } from '@nexus/event-bus'
import { RuntimeError } from '../errors.js'
import type { Backend, BackendServer } from './backend.js'
import { backends } from './backends.js'
import { type BusFile, backendsIn } from './bus-schema.js'

/** The bus to open. */
export interface BusConfig {
  /** Name of the backend: `local`, `memory`, `nats` or `redis`. */
  backend: string
  /** Settings of the backend as its schema has them, without `url`. */
  settings: Readonly<Record<string, unknown>>
  /** Addresses of its server, which may hold a password; none for a bus in this process. */
  urls: readonly string[]
  /** Hosts and ports of `urls`, to show: never a password. */
  address?: string | undefined
  /** What a publish to the local bus survives. @default that of the library */
  durability?: 'disk' | 'os' | undefined
  /** Which events to keep. @default all */
  retention?: RetentionOptions | undefined
}

/**
 * Merges the file and `NEXUS_BUS_URL`, whose scheme chooses the backend where the file does not.
 *
 * @throws RuntimeError `CONFIG_INVALID`, without the URL, which may hold a password
 */
export function busConfig(file: BusFile, environmentUrl: string | undefined): BusConfig {
  const given = typeof file === 'string' ? { [file]: {} } : file
  const backend = chosenBackend(backendsIn(given)[0], environmentUrl)
  const { durability, retention } = given as Pick<BusConfig, 'durability' | 'retention'>
  const own = (given as Record<string, Record<string, unknown> | undefined>)[backend.name]
  const { url, ...settings } = own ?? {}
  return {
    backend: backend.name,
    settings,
    ...(backend.server
      ? addressOf(backend.name, backend.server, environmentUrl, url as string | undefined)
      : { urls: [] }),
    ...(durability !== undefined && { durability }),
    ...(retention && { retention }),
  }
}

/** The backend of a configuration. */
export function backendNamed(name: string): Backend {
  return backends.find((backend) => backend.name === name)!
}

/**
 * Refuses a data key for a bus that encrypts nothing.
 *
 * @throws RuntimeError `CONFIG_INVALID`
 */
export function assertEncrypts({ backend }: Pick<BusConfig, 'backend'>): void {
  if (backendNamed(backend).encrypts) return
  throw invalid(
    `environment variable NEXUS_DATA_KEY encrypts the local bus only, and bus is ${backend}: unset it, and encrypt the disks of the server`,
  )
}

function chosenBackend(named: Backend | undefined, url: string | undefined): Backend {
  if (url === undefined) return named ?? backends[0]!
  const meant = backends.find(({ server }) => server && hasProtocol(url, server))
  if (!meant) {
    const all = backends.flatMap(({ server }) => server?.protocols ?? [])
    throw invalid(`environment variable NEXUS_BUS_URL: expected ${alternatives(all)}`)
  }
  // A bus in this process is what is used where no server is known: the address says more.
  if (named?.server && named !== meant) {
    throw invalid(`environment variable NEXUS_BUS_URL is for ${meant.name}, bus is ${named.name}`)
  }
  return meant
}

function addressOf(
  name: string,
  server: BackendServer,
  environmentUrl: string | undefined,
  fileUrl: string | undefined,
): Pick<BusConfig, 'urls' | 'address'> {
  const where = environmentUrl === undefined ? `bus.${name}.url` : 'NEXUS_BUS_URL'
  const text = environmentUrl ?? fileUrl ?? server.defaultUrl
  const urls = server.takesSeveral ? text.split(',').map((url) => url.trim()) : [text]
  const hosts = urls.map((url) => {
    if (!isServerUrl(url, server)) {
      const [plain, secure] = server.protocols
      throw invalid(`${where}: expected ${plain}//host:port or ${secure}//host:port`)
    }
    return new URL(url).host
  })
  return { urls, address: hosts.join(', ') }
}

function hasProtocol(url: string, { protocols }: BackendServer): boolean {
  return protocols.some((protocol) => url.startsWith(`${protocol}//`))
}

/** Whether `url` leads to a server, its user and password included. */
function isServerUrl(url: string, { protocols }: BackendServer): boolean {
  try {
    const { protocol, host, username, password } = new URL(url)
    decodeURIComponent(username + password)
    return protocols.includes(protocol) && host !== ''
  } catch {
    return false
  }
}

/** `nats://, tls://, redis:// or rediss://` */
function alternatives(protocols: readonly string[]): string {
  const all = protocols.map((protocol) => `${protocol}//`)
  return `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`
}

function invalid(message: string): RuntimeError {
  return new RuntimeError('CONFIG_INVALID', message)
}
