import { type GuardedConsumer, guardClaims } from '@nexus/event-bus/claim-guard'
import type { Redis } from 'ioredis'
import { createConnection } from './connection/connection.js'
import type { ResolvedRedisStoreOptions } from './options.js'
import { EXTEND } from './scripts/claim.js'

/** A group's consumer as the guard knows it; `id` is its name in Redis. */
export interface GuardedRedisConsumer extends GuardedConsumer {
  group: string
}

/** What the thread gets from the store. */
export type RedisGuardOptions = Pick<
  ResolvedRedisStoreOptions,
  'url' | 'tls' | 'prefix' | 'requestTimeoutMs'
> & {
  /** Names the process among those that share the bus. */
  process: string
}

guardClaims<GuardedRedisConsumer, RedisGuardOptions>((options) => {
  let connecting: Promise<Redis> | undefined
  const connect = async (): Promise<Redis> => {
    const connection = createConnection(options)
    await connection.connect()
    return connection
  }
  return async ({ id, group, lapseMs }, claims) => {
    connecting ??= connect()
    const connection = await connecting.catch((error: unknown) => {
      connecting = undefined
      throw error
    })
    const work = claims.flatMap((claim) => claim.split(' '))
    await connection.eval(EXTEND, 1, options.prefix, group, id, lapseMs, ...work, options.process)
  }
})
