import type { Logger } from '@nexus/diagnostics'
import type { RuntimeCache } from '@nexus/executor'
import { type FunctionHost, FunctionsError } from '@nexus/functions'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { HttpError } from '../answers/http-error.js'
import { parseQuery, wholeNumber } from '../answers/query.js'
import { cacheEntries, cacheReport } from './cache-report.js'

const pruneQuery = z.strictObject({
  maxBytes: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  unusedForSeconds: wholeNumber(0, 10 * 366 * 86_400).optional(),
})

/** What the caches of compiled code hold, and emptying, pruning and filling them. */
export function cacheRoutes(
  server: FastifyInstance,
  cache: RuntimeCache,
  functions: FunctionHost | undefined,
  logger: Logger,
): void {
  server.get('/api/cache', async () => {
    await cache.measure()
    return { ...cacheReport(cache), entries: cacheEntries(cache) }
  })

  // Functions that run go on: their code is with them, and stored again when they are compiled the next time.
  server.post('/api/cache/clear', async () => {
    await cache.measure()
    const { handlers, modules } = cacheReport(cache)
    await cache.clear()
    const inMemory = handlers.tiers.find(({ tier }) => tier === 'memory')?.entries ?? 0
    const onDisk = handlers.tiers.find(({ tier }) => tier === 'disk')?.entries ?? 0
    return { removed: { memory: inMemory + (modules.entries ?? 0), disk: onDisk } }
  })

  server.post('/api/cache/prune', async (request) => {
    const { maxBytes, unusedForSeconds } = parseQuery(pruneQuery, request.query)
    const { entries, bytes } = await cache.prune({
      maxBytes,
      unusedForMs: unusedForSeconds === undefined ? undefined : unusedForSeconds * 1000,
    })
    return { removed: { entries, bytes } }
  })

  server.post('/api/cache/warm', async () => {
    await functions?.reload().catch((error: unknown) => {
      if (!(error instanceof FunctionsError) || error.code !== 'FUNCTION_INVALID') throw error
      logger.error({ reason: error.message }, 'the cache was not warmed: a function is wrong')
      // Which one, and where, may name files of the host.
      const message =
        'A function does not compile, so the cache was not warmed; the log of the server says which. The functions go on as they were.'
      throw new HttpError(409, error.code, message)
    })
    // What memory had was not compiled again: the disk may have lost it all the same.
    await cache.refill()
    await cache.measure()
    return { functions: functions?.names.length ?? 0 }
  })
}
