import type { ProfileReport } from '@nexus/client'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { type ProcessProfiler, ProfileInProgress } from '../profiling/process-profiler.js'
import { HttpError } from './http-error.js'
import { parseQuery, wholeNumber } from './query.js'

const profileQuery = z.strictObject({
  // A client waits for the answer: Node's own gives up on the headers after 300 seconds.
  seconds: wholeNumber(1, 240).default(10),
  function: z.string().min(1).optional(),
})

/** What {@link profileRoutes} needs. */
export interface ProfileRouteParts {
  profiler: ProcessProfiler
  /** Whether profiles may be taken. */
  enabled: boolean
  functionNames: () => readonly string[]
}

/** `POST /api/profile`: answers once the profile is taken. */
export function profileRoutes(server: FastifyInstance, parts: ProfileRouteParts): void {
  const { profiler, enabled, functionNames } = parts
  server.post('/api/profile', async (request, reply): Promise<ProfileReport> => {
    const { seconds, function: functionName } = parseQuery(profileQuery, request.query)
    if (!enabled) {
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
    const signal = abandoned(reply)
    try {
      return await profiler.profile({ durationMs: seconds * 1000, functionName, signal })
    } catch (error) {
      if (!(error instanceof ProfileInProgress)) throw error
      throw new HttpError(
        409,
        'PROFILE_IN_PROGRESS',
        'Somebody is profiling this server; try again when that profile is done.',
      )
    }
  })
}

/** Aborts when whoever asked has gone away. */
function abandoned({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.on('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
