import { z } from 'zod'

/** Where a server is. */
export const addressSchema = (description: string) =>
  z.string().min(1).optional().meta({ description })

/** What keeps buses on one server apart. */
export const prefixSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 letters, digits, _ and -')
  .optional()
  .meta({
    description: 'Start of every name on the server; runtimes with the same one share their work.',
  })

/** How long a server may take to answer. */
export const requestTimeoutSchema = z.int().min(100).max(600_000).optional().meta({
  description: 'Fail a request after this many milliseconds without an answer.',
})
