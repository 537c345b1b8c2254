export { RedisCacheTier, type RedisCacheTierOptions } from './redis-cache-tier.js'
export { redisStore } from './redis-store.js'
export type { RedisStoreOptions } from './redis-store-options.js'
