import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerProcess } from '@nexus/test-kit'

/** The server empties the file of a consumer before it writes it again: as if it had died in between. */
export function emptyConsumerFile(server: ServerProcess, stream: string, group: string): void {
  const consumers = join(server.directory, 'jetstream/$G/streams', stream, 'obs')
  const consumer = readdirSync(consumers).find((name) => name.startsWith(`${group}=`))!
  truncateSync(join(consumers, consumer, 'o.dat'))
}
