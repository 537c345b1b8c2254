import type { RedisReader } from '../connection/reader.js'

export interface KnownGroup {
  name: string
  patterns: string[]
  startAfter: number
}

/** Every group of the bus, by name. */
export async function knownGroups(reader: RedisReader): Promise<KnownGroup[]> {
  const entries = await reader.ask((redis) => redis.hgetall(reader.key('groups')))
  return Object.entries(entries)
    .map(([name, json]) => ({ name, ...(JSON.parse(json) as Omit<KnownGroup, 'name'>) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
