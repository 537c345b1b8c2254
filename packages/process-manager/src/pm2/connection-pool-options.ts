import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

/** Options of `ConnectionPool`. */
export interface ConnectionPoolOptions {
  /** PM2's directory, which decides which daemon it is. @default PM2_HOME, or `.pm2` in the user's home directory */
  home?: string | undefined
  /** Start a daemon where none runs, with the optional peer `pm2`. @default true */
  startDaemon?: boolean | undefined
  /** A connection without calls is closed after this long. @default 60000 */
  idleTimeoutMs?: number | undefined
  /** What connecting to a daemon may take, its first answer included. @default 5000 */
  connectTimeoutMs?: number | undefined
  /** What a call may take. @default 10000 */
  callTimeoutMs?: number | undefined
  /** What starting a daemon may take, or waiting for another process that starts it. @default 30000 */
  daemonStartTimeoutMs?: number | undefined
}

export type ResolvedConnectionPoolOptions = {
  [K in keyof ConnectionPoolOptions]-?: Exclude<ConnectionPoolOptions[K], undefined>
}

const timeoutMs = z.number().min(1)

export const connectionPoolShape = {
  home: z
    .string()
    .min(1)
    .default(() => process.env.PM2_HOME || join(homedir(), '.pm2')),
  startDaemon: z.boolean().default(true),
  idleTimeoutMs: timeoutMs.default(60_000),
  connectTimeoutMs: timeoutMs.default(5000),
  callTimeoutMs: timeoutMs.default(10_000),
  daemonStartTimeoutMs: timeoutMs.default(30_000),
}

export const connectionPoolSchema = z.strictObject(connectionPoolShape) satisfies z.ZodType<
  ResolvedConnectionPoolOptions,
  ConnectionPoolOptions
>
