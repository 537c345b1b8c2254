import type { ChainableCommander, Redis } from 'ioredis'

/** Sends commands and waits for their answer. */
export type Ask = <T>(request: (connection: Redis) => Promise<T>) => Promise<T>

/** Reads keys below the prefix of a bus. */
export class RedisReader {
  readonly #prefix: string
  readonly ask: Ask

  constructor(prefix: string, ask: Ask) {
    this.#prefix = prefix
    this.ask = ask
  }

  key(name: string): string {
    return `${this.#prefix}:${name}`
  }

  /** Several commands in one round trip. */
  pipeline<T>(build: (pipeline: ChainableCommander) => ChainableCommander): Promise<T[]> {
    return this.ask(async (redis) => {
      const answers = (await build(redis.pipeline()).exec()) ?? []
      return answers.map(([error, value]) => {
        if (error !== null) throw error
        return value as T
      })
    })
  }
}
