import { z } from 'zod'
import { HttpError } from './http-error.js'

/** A whole number, written in a query string. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
}

/** How long a request waits, in milliseconds. As long as a proxy in front usually waits is the default; an hour is the most. */
export const waitTime = wholeNumber(1, 3_600_000).default(30_000)

/** A switch in a query string: `?wait` and `?wait=true` are on. */
export const queryFlag = z
  .enum(['', 'true', 'false'])
  .transform((text) => text !== 'false')
  .default(false)

/** A text of bounded length in bytes, written in a query string. */
export function boundedText(maxBytes: number) {
  return z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= maxBytes, `expected at most ${maxBytes} bytes`)
}

/** @throws HttpError 400 naming the parameter */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const result = schema.safeParse(query)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const name = issue.path.join('.')
  throw new HttpError(400, 'INVALID_QUERY', name ? `${name}: ${issue.message}` : issue.message)
}
