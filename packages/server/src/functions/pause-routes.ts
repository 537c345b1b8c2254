import type { FunctionHost } from '@nexus/functions'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { boundedText, parseQuery } from '../answers/query.js'
import { functionRefusal } from './function-refusal.js'

interface Named {
  Params: { name: string }
}

const path = '/api/functions/:name'
const pauseQuery = z.strictObject({ reason: boundedText(200).optional() })

/** `POST …/pause` keeps events of a function waiting, on all runtimes of the bus; `POST …/resume` ends that. */
export function pauseRoutes(server: FastifyInstance, host: FunctionHost): void {
  server.post<Named>(`${path}/pause`, async ({ params: { name }, query }) => {
    const { reason } = parseQuery(pauseQuery, query)
    const paused = await functionRefusal(host.pause(name, { reason }))
    return { function: name, paused }
  })

  server.post<Named>(`${path}/resume`, async ({ params: { name } }) => {
    await functionRefusal(host.resume(name))
    return { function: name, paused: null }
  })
}
