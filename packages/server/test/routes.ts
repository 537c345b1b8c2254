import type { NexusApiOptions } from '@nexus/server'
import { nexusApi } from '@nexus/server'
import { fastify } from 'fastify'

/** A route of the API. */
export interface Route {
  method: string
  url: string
}

/**
 * Every route that these options make, as Fastify lists them: a new route is in every test of all routes. The one for functions
 * with `http` has tests of its own.
 */
export async function routesOf(options: NexusApiOptions): Promise<Route[]> {
  const routes: Route[] = []
  const app = fastify()
  app.addHook('onRoute', ({ method, url }) => {
    if (url.endsWith('/*')) return
    for (const one of [method].flat()) routes.push({ method: one, url })
  })
  await app.register(nexusApi, options)
  await app.ready()
  await app.close()
  return routes
}
