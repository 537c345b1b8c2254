import type { Backend } from './backend.js'
import { local } from './local.js'
import { memory } from './memory.js'
import { nats } from './nats.js'
import { redis } from './redis.js'

/** Every place that can keep events; the first one is used when nexus.yaml names none. */
export const backends: readonly Backend[] = [local, memory, nats, redis]
