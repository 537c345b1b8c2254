import type { Durability } from '@nexus/event-bus'
import type { Redis } from 'ioredis'

/**
 * What a write survives on this server. With an append-only file, Redis writes before it answers: to the
 * disk under `appendfsync always`, else to the kernel. Without one, or where CONFIG is not allowed, nothing is sure.
 */
export async function readDurability(connection: Redis): Promise<Durability> {
  try {
    const settings = (await connection.config('GET', 'append*')) as string[]
    const read = (name: string): string | undefined => settings[settings.indexOf(name) + 1]
    if (read('appendonly') !== 'yes') return 'memory'
    return read('appendfsync') === 'always' ? 'disk' : 'os'
  } catch {
    return 'memory'
  }
}
