import { z } from 'zod'

/** Options of `CommandLock`. */
export interface CommandLockOptions {
  /** Where the lock files are; every process that is to be kept out names the same. Created where it is missing. */
  directory: string
  /** How long `withLock` waits for a lock. @default 10000 */
  timeoutMs?: number | undefined
}

/** Options of `CommandLock.withLock`. */
export interface WithLockOptions {
  /** How long to wait for the lock; 0 tries once. @default the lock's own `timeoutMs` */
  timeoutMs?: number | undefined
}

export interface ResolvedCommandLockOptions {
  directory: string
  timeoutMs: number
}

export const commandLockSchema = z.strictObject({
  directory: z.string().min(1),
  timeoutMs: z.number().min(0).default(10_000),
}) satisfies z.ZodType<ResolvedCommandLockOptions, CommandLockOptions>

export const withLockSchema = z.strictObject({
  timeoutMs: z.number().min(0).optional(),
}) satisfies z.ZodType<WithLockOptions>
