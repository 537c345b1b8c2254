import type { FastifyInstance } from 'fastify'

/** `GET /healthz`: the process answers. `GET /readyz`: it takes events and runs functions. */
export function healthRoutes(server: FastifyInstance, isReady: () => boolean): void {
  server.get('/healthz', () => ({ status: 'ok' }))

  server.get('/readyz', (_request, reply) => {
    const ready = isReady()
    reply.code(ready ? 200 : 503)
    return { status: ready ? 'ready' : 'not ready' }
  })
}
