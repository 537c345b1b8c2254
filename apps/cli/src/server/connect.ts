import { NexusClient } from '@nexus/client'
import { describeThrown } from '@nexus/diagnostics'
import { UsageError } from '../command-line/usage-error.js'

/** A client of the server that `--url` or `NEXUS_URL` names. */
export function connect(url: string | undefined): NexusClient {
  const chosen = url ?? (process.env.NEXUS_URL || 'http://localhost:8080')
  const token = process.env.NEXUS_TOKEN
  try {
    return new NexusClient({ url: chosen, ...(token ? { token } : {}) })
  } catch (error) {
    // The client's message has no password and no token in it; the text of the option may.
    const from = url === undefined ? 'NEXUS_URL' : '--url'
    throw new UsageError(describeThrown(error).message.replace(/^NexusClient: url/, from))
  }
}
