import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { getHeapSnapshot } from 'node:v8'
import { describeThrown, type Logger } from '@nexus/diagnostics'
import { type FunctionHost, FunctionsError } from '@nexus/functions'
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import { HttpError } from '../answers/http-error.js'

/** What {@link heapSnapshotRoute} needs. */
export interface HeapSnapshotParts {
  /** Whether snapshots may be taken. */
  enabled: boolean
  /** The functions, of which none runs while the process stops. */
  functions: FunctionHost | undefined
  /** Hears who asked, how long the process stopped, and who was refused. */
  logger: Logger
}

/**
 * `POST /api/heap-snapshot`: everything that the main thread holds in memory, secrets included, as a `.heapsnapshot`. The
 * process stops while it is taken, once no function runs; it is sent while it is written.
 */
export function heapSnapshotRoute(server: FastifyInstance, parts: HeapSnapshotParts): void {
  const { enabled, functions, logger } = parts
  let busy = false
  const take = async (address: string): Promise<{ snapshot: Readable; pauseMs: number }> => {
    logger.warn({ address }, 'a heap snapshot was asked for: the process stops while it is taken')
    const stop = () => {
      const startedMs = performance.now()
      const snapshot = getHeapSnapshot()
      return { snapshot, pauseMs: Math.round(performance.now() - startedMs) }
    }
    const taken = functions ? await functions.whileIdle(stop) : stop()
    const { pauseMs } = taken
    logger.warn(
      { address, pauseMs },
      'a heap snapshot was taken: it holds every secret of the process',
    )
    return taken
  }
  const route: RouteShorthandOptions = {
    config: { nexusAccess: 'secrets' },
    // Whatever refused it, the access rules before this route too; the answer is that of every other error.
    errorHandler: (error, request, reply) => {
      const { message } = describeThrown(error)
      logger.warn({ address: request.ip, reason: message }, 'no heap snapshot was taken')
      reply.send(error)
    },
  }
  server.post('/api/heap-snapshot', route, async (request, reply) => {
    if (!enabled) {
      throw new HttpError(
        403,
        'PROFILING_DISABLED',
        'Heap snapshots are turned off on this server: see performance.enableProfiling and PERFORMANCE_ENABLED.',
      )
    }
    if (busy) {
      const message = 'A heap snapshot of this server is being taken; try again when it is done.'
      throw new HttpError(409, 'HEAP_SNAPSHOT_IN_PROGRESS', message)
    }
    busy = true
    try {
      const { snapshot, pauseMs } = await take(request.ip)
      void finished(snapshot)
        .catch(() => {})
        .then(() => {
          busy = false
        })
      return await reply
        .type('application/octet-stream')
        .headers({ 'cache-control': 'no-store', 'nexus-pause-ms': String(pauseMs) })
        .send(snapshot)
    } catch (error) {
      busy = false
      if (!(error instanceof FunctionsError) || error.code !== 'FUNCTIONS_BUSY') throw error
      throw new HttpError(409, error.code, error.message)
    }
  })
}
