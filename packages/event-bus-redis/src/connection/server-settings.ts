import { type Durability, EventBusError } from '@nexus/event-bus'
import type { Redis } from 'ioredis'
import { redactUrl } from './request.js'

/** The oldest server whose scripts may free memory while it is full. */
const OLDEST_MAJOR = 7

/**
 * What a write survives on this server. With an append-only file, Redis writes before it answers: to the
 * disk under `appendfsync always`, else to the kernel. Where CONFIG is not allowed, or a setting is not told, nothing is sure.
 */
export async function readDurability(connection: Redis): Promise<Durability> {
  try {
    const answer = (await connection.config('GET', '*append*')) as string[]
    const settings = new Map<string, string>()
    for (let i = 0; i < answer.length; i += 2) settings.set(answer[i]!, answer[i + 1]!)
    if (settings.get('appendonly') !== 'yes') return 'memory'
    const syncs = settings.get('appendfsync') === 'always'
    return syncs && settings.get('no-appendfsync-on-rewrite') === 'no' ? 'disk' : 'os'
  } catch {
    return 'memory'
  }
}

/** What Redis takes as one value where it is not set otherwise. */
const DEFAULT_VALUE_BYTES = 512 * 1024 * 1024

/** The largest value that the server takes; it closes the connection of a client that sends a larger one. */
export async function readMaxValueBytes(connection: Redis): Promise<number> {
  try {
    const answer = (await connection.config('GET', 'proto-max-bulk-len')) as string[]
    return Number(answer[1] ?? DEFAULT_VALUE_BYTES)
  } catch {
    return DEFAULT_VALUE_BYTES
  }
}

/**
 * Refuses a server that cannot keep what it is given. A server that does not let the user ask is trusted.
 *
 * @throws EventBusError `INVALID_OPTIONS`
 */
export async function assertSuitable(connection: Redis, url: string): Promise<void> {
  const read = async (section: string) => {
    const text = await connection.info(section).catch((error: Error) => {
      if (error.message.startsWith('NOPERM')) return ''
      throw error
    })
    return (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1]
  }
  const server = await read('server')
  const version = server('redis_version')
  if (version !== undefined && Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw unsuitable(url, `Redis ${OLDEST_MAJOR}.0 or later`, `version ${version}`, { version })
  }
  if (server('redis_mode') === 'cluster') {
    throw unsuitable(url, 'a server that is not part of a Redis Cluster', 'a node of a cluster', {
      mode: 'cluster',
    })
  }
  const memory = await read('memory')
  const policy = memory('maxmemory_policy')
  if (policy?.startsWith('allkeys-') && memory('maxmemory') !== '0') {
    const expected = 'maxmemory-policy noeviction, or a volatile one'
    const got = `${policy}, with which the server removes events and groups when its memory is full`
    throw unsuitable(url, expected, got, { policy })
  }
}

function unsuitable(
  url: string,
  expected: string,
  got: string,
  details: Record<string, unknown>,
): EventBusError {
  const server = redactUrl(url)
  return new EventBusError(
    'INVALID_OPTIONS',
    `Redis at ${server}: expected ${expected}, got ${got}`,
    {
      details: { server, ...details },
    },
  )
}
