import type { RetentionOptions } from '@nexus/event-bus'
import { RuntimeError } from '../errors.js'
import type { BusFile } from './bus-schema.js'

type BusSettings = Exclude<BusFile, string>

/** A bus in this process. */
export type EmbeddedBus =
  | ({ backend: 'local'; durability: 'disk' | 'os' } & Retained)
  | { backend: 'memory' }

/** Everything is kept where nothing is said. */
interface Retained {
  retention?: RetentionOptions
}

/** Where a server is: `urls` may hold a password, `address` never does. */
interface ServerAddress {
  urls: [string, ...string[]]
  /** To show: hosts and ports. */
  address: string
}

/** A bus that several runtimes share. */
export type ServerBus =
  | ({
      backend: 'nats'
      settings: Omit<NonNullable<BusSettings['nats']>, 'url'> & Retained
    } & ServerAddress)
  | ({
      backend: 'redis'
      settings: Omit<NonNullable<BusSettings['redis']>, 'url'> & Retained
    } & ServerAddress)

/** The bus to open. */
export type BusConfig = EmbeddedBus | ServerBus

const protocols = { nats: ['nats:', 'tls:'], redis: ['redis:', 'rediss:'] }
const defaults = { nats: 'nats://127.0.0.1:4222', redis: 'redis://127.0.0.1:6379' }

/**
 * Merges the file and `NEXUS_BUS_URL`, whose scheme chooses the backend where the file does not.
 *
 * @throws RuntimeError `CONFIG_INVALID`, without the URL, which may hold a password
 */
export function busConfig(file: BusFile, environmentUrl: string | undefined): BusConfig {
  const settings: BusSettings =
    file === 'nats' || file === 'redis' ? { [file]: {} } : typeof file === 'string' ? {} : file
  const named = settings.nats ? 'nats' : settings.redis ? 'redis' : undefined
  const fromEnvironment = environmentUrl === undefined ? undefined : backendOf(environmentUrl)
  if (named && fromEnvironment && named !== fromEnvironment) {
    throw invalid(`environment variable NEXUS_BUS_URL is for ${fromEnvironment}, bus is ${named}`)
  }
  const backend = named ?? fromEnvironment
  const retained: Retained = settings.retention ? { retention: settings.retention } : {}
  if (backend === 'nats') {
    const { url, ...rest } = settings.nats ?? {}
    return {
      backend,
      settings: { ...rest, ...retained },
      ...serverAddress(backend, environmentUrl, url),
    }
  }
  if (backend === 'redis') {
    const { url, ...rest } = settings.redis ?? {}
    return {
      backend,
      settings: { ...rest, ...retained },
      ...serverAddress(backend, environmentUrl, url),
    }
  }
  if (file === 'memory') return { backend: 'memory' }
  return { backend: 'local', durability: settings.durability ?? 'disk', ...retained }
}

function backendOf(url: string): ServerBus['backend'] {
  for (const backend of ['nats', 'redis'] as const) {
    if (protocols[backend].some((protocol) => url.startsWith(`${protocol}//`))) return backend
  }
  throw invalid(
    'environment variable NEXUS_BUS_URL: expected nats://, tls://, redis:// or rediss://',
  )
}

function serverAddress(
  backend: ServerBus['backend'],
  environmentUrl: string | undefined,
  fileUrl: string | undefined,
): ServerAddress {
  const where = environmentUrl === undefined ? `bus.${backend}.url` : 'NEXUS_BUS_URL'
  const text = environmentUrl ?? fileUrl ?? defaults[backend]
  const urls = backend === 'nats' ? text.split(',').map((url) => url.trim()) : [text]
  const hosts = urls.map((url) => {
    if (!isServerUrl(url, protocols[backend])) {
      const [plain, secure] = protocols[backend]
      throw invalid(`${where}: expected ${plain}//host:port or ${secure}//host:port`)
    }
    return new URL(url).host
  })
  return { urls: urls as [string, ...string[]], address: hosts.join(', ') }
}

/** Whether `url` leads to a server, its user and password included. */
function isServerUrl(url: string, allowed: readonly string[]): boolean {
  try {
    const { protocol, host, username, password } = new URL(url)
    decodeURIComponent(username + password)
    return allowed.includes(protocol) && host !== ''
  } catch {
    return false
  }
}

function invalid(message: string): RuntimeError {
  return new RuntimeError('CONFIG_INVALID', message)
}
