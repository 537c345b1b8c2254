import type { FunctionHost } from '@nexus/functions'
import type { FastifyInstance } from 'fastify'

/** `GET /api/functions`: what starts each function, when its schedule fires next, and what it did in this process. */
export function functionRoutes(server: FastifyInstance, host: FunctionHost): void {
  server.get('/api/functions', () => ({ functions: host.functions }))
}
