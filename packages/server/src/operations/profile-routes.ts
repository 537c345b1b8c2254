import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../answers/http-error.js'
import { boundedText, parseQuery, wholeNumber } from '../answers/query.js'
import type { ProfileSource } from './performance-source.js'

const profileQuery = z.strictObject({
  // A client waits for the answer: Node's own gives up on the headers after 300 seconds.
  seconds: wholeNumber(1, 240).default(10),
  function: boundedText(128).optional(),
  heap: z.enum(['true', 'false']).default('false'),
})

/** What {@link profileRoutes} needs. */
export interface ProfileRouteParts {
  /** `false`: no profiles may be taken. */
  profiler: ProfileSource | false
  functionNames: () => readonly string[]
}

/** `POST /api/profile`: answers once the profile is taken. */
export function profileRoutes(server: FastifyInstance, parts: ProfileRouteParts): void {
  const { profiler, functionNames } = parts
  server.post('/api/profile', async (request, reply) => {
    const { seconds, function: functionName, heap } = parseQuery(profileQuery, request.query)
    if (!profiler) {
      throw new HttpError(
        403,
        'PROFILING_DISABLED',
        'Profiles are turned off on this server: see performance.enableProfiling and PERFORMANCE_ENABLED.',
      )
    }
    if (functionName !== undefined && !functionNames().includes(functionName)) {
      throw new HttpError(
        404,
        'FUNCTION_NOT_FOUND',
        `No function is called ${JSON.stringify(functionName)}.`,
      )
    }
    if (profiler.busy) {
      throw new HttpError(
        409,
        'PROFILE_IN_PROGRESS',
        'A profile of this server is being taken; try again when it is done.',
      )
    }
    return profiler.profile({
      durationMs: seconds * 1000,
      functionName,
      heap: heap === 'true',
      signal: abandoned(reply),
    })
  })
}

/** Aborts when the client that asked is gone. */
function abandoned({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.on('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
