import type { FastifyInstance } from 'fastify'
import type { BusConnection } from './bus-monitor.js'

/** What readiness depends on. */
export interface Health {
  /** Every function listens, and no stop has begun. */
  serving: boolean
  bus: BusConnection
}

const open = { config: { nexusAccess: 'open' } } as const

/** `GET /healthz`: the process answers. `GET /readyz`: it takes events and runs functions. */
export function healthRoutes(server: FastifyInstance, health: () => Health): void {
  server.get('/healthz', open, () => ({ status: 'ok' }))

  server.get('/readyz', open, (_request, reply) => {
    const { serving, bus } = health()
    const ready = serving && bus.connected
    reply.code(ready ? 200 : 503)
    return { status: ready ? 'ready' : 'not ready', bus }
  })
}
