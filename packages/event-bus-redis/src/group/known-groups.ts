import type { RedisReader } from '../connection/reader.js'

/** A group as the server knows it. */
export interface KnownGroup {
  name: string
  /** Another one after the group was removed, or lost, and made again. */
  id: string
  /** All that the group gets. */
  patterns: string[]
  startAfter: number
  /** Sets of patterns that processes of the group asked for. */
  sets: { id: number; patterns: string[] }[]
}

/** Every group of the bus, by name. */
export async function knownGroups(reader: RedisReader): Promise<KnownGroup[]> {
  const entries = await reader.ask((redis) => redis.hgetall(reader.key('groups')))
  return Object.entries(entries)
    .map(([name, json]) => ({ name, ...(JSON.parse(json) as Omit<KnownGroup, 'name'>) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
