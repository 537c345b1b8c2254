import { NexusClient } from '@nexus/client'
import { UsageError } from '../command-line/usage-error.js'

/** A client of the server that `--url` or `NEXUS_URL` names. */
export function connect(url: string | undefined): NexusClient {
  const chosen = url ?? (process.env.NEXUS_URL || 'http://localhost:8080')
  const token = process.env.NEXUS_TOKEN
  try {
    return new NexusClient({ url: chosen, ...(token ? { token } : {}) })
  } catch {
    throw new UsageError(`--url: expected an http or https URL, got "${chosen}"`)
  }
}
