import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type EventWithRuns, NexusClient } from '@nexus/client'
import { type Runtime, type StartRuntimeOptions, startRuntime } from '@nexus/runtime'
import { onTestFinished } from 'vitest'

/** Registers what undoes something: after the test, or when a suite says so. */
export type Cleanup = (undo: () => Promise<void>) => void

/** A directory with these files, removed after the test. */
export async function workspace(
  files: Record<string, string>,
  cleanup: Cleanup = onTestFinished,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-runtime-'))
  cleanup(() => rm(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return directory
}

/** A running runtime, closed after the test. */
export interface Served {
  runtime: Runtime
  client: NexusClient
  directory: string
  /** A request to a path of the server. */
  send(path: string, init?: RequestInit): Promise<Response>
}

/** Serves the `nexus.yaml` among `files` on a free port. */
export async function serve(
  files: Record<string, string>,
  options: Partial<StartRuntimeOptions> = {},
  cleanup: Cleanup = onTestFinished,
): Promise<Served> {
  const directory = await workspace(files, cleanup)
  const runtime = await startRuntime({
    config: join(directory, 'nexus.yaml'),
    port: 0,
    env: {},
    ...options,
  })
  cleanup(() => runtime.close())
  const token = options.env?.NEXUS_TOKEN
  return {
    runtime,
    directory,
    client: new NexusClient({ url: runtime.url, ...(token ? { token } : {}) }),
    send: (path, init) => fetch(`${runtime.url}${path}`, init),
  }
}

/** A `POST` of JSON. */
export function json(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

/** The event, once every function that listens to it is done with it. */
export async function settled(client: NexusClient, id: string): Promise<EventWithRuns> {
  for (;;) {
    const details = await client.getEvent(id)
    const done = details.runs.every(
      ({ status }) => status === 'succeeded' || status === 'dead-lettered',
    )
    if (details.runs.length > 0 && done) return details
    await new Promise((later) => setTimeout(later, 10))
  }
}
