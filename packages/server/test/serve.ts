import type { AddressInfo } from 'node:net'
import { EventBus, type EventBusOptions, memoryStore } from '@nexus/event-bus'
import { createServer, type NexusApiOptions } from '@nexus/server'
import { onTestFinished } from 'vitest'

/** The API on a free port over a bus in memory, closed after the test. */
export async function serve(
  options: Partial<NexusApiOptions> = {},
  busOptions: Partial<EventBusOptions> = {},
) {
  const bus = await EventBus.open({ store: memoryStore(), ...busOptions })
  const server = createServer({ bus, ...options })
  server.all('/page', { config: { nexusAccess: 'page' } }, (_request, reply) =>
    reply.type('text/html').send('<p>a page</p>'),
  )
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  onTestFinished(async () => {
    await server.close()
    await bus.close()
  })
  const url = `http://127.0.0.1:${port}`
  return {
    bus,
    server,
    port,
    url,
    send: (path: string, init?: RequestInit) => fetch(url + path, init),
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
