import { describeThrown } from '@nexus/diagnostics'
import type { FastifyInstance } from 'fastify'
import { HttpError } from '../answers/http-error.js'
import type {
  FoundOptimization,
  PerformanceControl,
  PerformanceSource,
} from './performance-source.js'

const statuses: Record<string, number> = {
  OPTIMIZATION_NOT_FOUND: 404,
  OPTIMIZATION_NOT_APPLICABLE: 409,
}

type Turn = (client: PerformanceControl, id: string) => Promise<FoundOptimization>

/** Listing optimizations, applying and undoing them. */
export function optimizationRoutes(
  server: FastifyInstance,
  performance: PerformanceSource,
  enabled: boolean,
): void {
  server.get('/api/optimizations', async () => {
    assertEnabled(enabled)
    const client = await performance.look()
    return {
      optimizations: client.getOptimizations().map(toWire),
      uxImprovements: client.getUxImprovements(),
    }
  })

  const turning = (action: 'apply' | 'undo', turn: Turn) =>
    server.post<{ Params: { id: string } }>(
      `/api/optimizations/:id/${action}`,
      async ({ params: { id } }) => {
        assertEnabled(enabled)
        try {
          return toWire(await turn(await performance.client(), id))
        } catch (error) {
          throw refused(error, id)
        }
      },
    )
  turning('apply', (client, id) => client.applyOptimization(id))
  turning('undo', (client, id) => client.undoOptimization(id))
}

function assertEnabled(enabled: boolean): void {
  if (enabled) return
  throw new HttpError(
    403,
    'OPTIMIZATIONS_DISABLED',
    'Optimizations are turned off on this server: see performance.enableOptimizations and PERFORMANCE_ENABLED.',
  )
}

function refused(error: unknown, id: string): unknown {
  const { code = '', message } = describeThrown(error)
  const status = Object.hasOwn(statuses, code) ? statuses[code] : undefined
  if (status === undefined) return error
  const text =
    status === 404
      ? `No optimization has the id ${JSON.stringify(id)}; GET /api/optimizations lists them.`
      : message
  return new HttpError(status, code, text, { cause: error })
}

function toWire(optimization: FoundOptimization): object {
  const { id, title, severity, advice, expectedEffect, state } = optimization
  const { evidence, change, result, failure } = optimization
  return {
    ...{ id, title, severity, evidence: [...evidence], advice, expectedEffect, state },
    ...(change && { change }),
    ...(result && {
      result: {
        appliedAt: new Date(result.appliedMs).toISOString(),
        before: result.before,
        ...(result.after === undefined ? {} : { after: result.after }),
      },
    }),
    ...(failure === undefined ? {} : { failure }),
  }
}
