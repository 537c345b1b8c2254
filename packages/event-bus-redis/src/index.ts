export type { RedisStoreOptions } from './options.js'
export { RedisCacheTier, type RedisCacheTierOptions } from './redis-cache-tier.js'
export { redisStore } from './redis-store.js'
