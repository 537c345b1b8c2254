import { z } from 'zod'
import {
  type ConnectionPoolOptions,
  connectionPoolShape,
  type ResolvedConnectionPoolOptions,
} from './connection-pool-options.js'

/** Options of `Pm2Engine`: those of its connection, and its own. */
export interface Pm2EngineOptions extends ConnectionPoolOptions {
  /** What a start or restart may take until the service accepts work. @default 30000 */
  startTimeoutMs?: number | undefined
  /** What waiting for other commands for the same service may take, those of other processes too. @default 60000 */
  queueTimeoutMs?: number | undefined
}

export interface ResolvedPm2EngineOptions extends ResolvedConnectionPoolOptions {
  startTimeoutMs: number
  queueTimeoutMs: number
}

export const pm2EngineSchema = z.strictObject({
  ...connectionPoolShape,
  startTimeoutMs: z.number().min(1).default(30_000),
  queueTimeoutMs: z.number().min(1).default(60_000),
}) satisfies z.ZodType<ResolvedPm2EngineOptions, Pm2EngineOptions>
