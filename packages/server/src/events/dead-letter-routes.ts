import type { DeadLetter, EventBus } from '@nexus/event-bus'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../answers/http-error.js'
import { boundedText, parseQuery, queryFlag, wholeNumber } from '../answers/query.js'

const path = '/api/dead-letters'

const filter = {
  function: boundedText(128).optional(),
  id: boundedText(512).optional(),
  source: boundedText(512).optional(),
}
const listQuery = z.strictObject({
  ...filter,
  limit: wholeNumber(1, 1000).default(20),
  cursor: boundedText(1024).optional(),
})
const changeQuery = z.strictObject({ ...filter, all: queryFlag })

/** `GET /api/dead-letters` lists what functions gave up on, `POST …/redrive` delivers it again, `DELETE` forgets it. */
export function deadLetterRoutes(server: FastifyInstance, bus: EventBus): void {
  server.get(path, async ({ query }) => {
    const { function: group, ...page } = parseQuery(listQuery, query)
    const found = await bus.deadLetters.list({ group, ...page })
    return { ...found, deadLetters: found.deadLetters.map(toWire) }
  })

  server.post(`${path}/redrive`, async ({ query }, reply) => {
    const redriven = await bus.deadLetters.redrive(chosen(query))
    reply.code(202)
    return { redriven }
  })

  server.delete(path, async ({ query }) => ({ purged: await bus.deadLetters.purge(chosen(query)) }))
}

/** Which dead letters to change. All of them only where that is asked for: a forgotten filter must not purge. */
function chosen(query: unknown) {
  const { function: group, id, source, all } = parseQuery(changeQuery, query)
  const isFiltered = group !== undefined || id !== undefined
  if (isFiltered === all) {
    throw new HttpError(
      400,
      'INVALID_QUERY',
      'Expected either function or id, or both, or all=true for every dead letter.',
    )
  }
  return { group, id, source }
}

/** Without the stack: where the sandbox could not run the function, it is that of the server. */
function toWire({ event, group, attempts, deadLetteredAt, error }: DeadLetter) {
  const { id, source, type } = event
  const { code = 'INTERNAL_ERROR', message } = error
  const failure = { code, message }
  return { function: group, event: { id, source, type }, attempts, deadLetteredAt, error: failure }
}
