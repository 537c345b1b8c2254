export { NatsCacheTier, type NatsCacheTierOptions } from './nats-cache-tier.js'
export { natsStore } from './nats-store.js'
export type { NatsStoreOptions } from './nats-store-options.js'
