import type { z } from 'zod'
import { ProcessManagerError } from './errors.js'

/**
 * Checks options and fills in defaults.
 *
 * @throws ProcessManagerError `INVALID_OPTIONS` naming the option
 */
export function parseOptions<Output, Input>(
  schema: z.ZodType<Output, Input>,
  options: Input,
  owner: string,
): Output {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.length > 0 ? issue.path.join('.') : 'options'
    return `${path}: ${issue.message}`
  })
  throw new ProcessManagerError('INVALID_OPTIONS', `${owner}: ${problems.join('; ')}`, {
    details: { problems },
    cause: result.error,
  })
}
