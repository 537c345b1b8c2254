import { z } from 'zod'
import { ProcessManagerError } from '../../../errors.js'
import { instanceCount, parseDefinition, parseName } from '../../../service/definition-schema.js'
import type { Method, Methods, Request } from '../../protocol.js'

/** More than any definition takes; a client that sends more is not one of ours. */
export const MAX_REQUEST_CHARACTERS = 8 * 2 ** 20

const requestSchema = z.strictObject({
  id: z.number().int().min(0),
  method: z.string().max(32),
  params: z.unknown(),
})

/** The longest time a timer of Node can be set to. */
const timeoutMs = z
  .number()
  .min(0)
  .max(2 ** 31 - 1)
const nothing = z.strictObject({})
const ofName = z.strictObject({ name: z.unknown() })
const ofNameAndTime = z.strictObject({ name: z.unknown(), timeoutMs })
const shapes: Record<Method, z.ZodType> = {
  start: z.strictObject({ definition: z.unknown(), timeoutMs }),
  stop: ofName,
  restart: ofNameAndTime,
  reload: ofNameAndTime,
  scale: z.strictObject({ name: z.unknown(), instances: instanceCount, timeoutMs }),
  delete: ofName,
  list: nothing,
  health: ofNameAndTime,
  save: nothing,
  resurrect: z.strictObject({ timeoutMs }),
  stats: nothing,
  shutdown: nothing,
}

/** The envelope of a message from a client; undefined for what no client of ours sends. */
export function parseRequest(message: unknown): (Request & { method: string }) | undefined {
  const result = requestSchema.safeParse(message)
  return result.success ? (result.data as Request) : undefined
}

/**
 * What a message asks for. The daemon trusts none of it: its clients are other processes, whatever package they use.
 *
 * @throws ProcessManagerError `INVALID_REQUEST`, or `INVALID_DEFINITION` for a name or a definition
 */
export function parseParams<M extends Method>(method: M, params: unknown): Methods[M]['params'] {
  if (!Object.hasOwn(shapes, method)) {
    const expected = Object.keys(shapes).join(', ')
    throw invalid(method, `expected one of ${expected}`)
  }
  const result = shapes[method].safeParse(params)
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw invalid(method, problems.join('; '))
  }
  const parsed = result.data as { name?: unknown; definition?: unknown }
  return {
    ...parsed,
    ...('name' in parsed ? { name: parseName(parsed.name) } : {}),
    ...('definition' in parsed ? { definition: parseDefinition(parsed.definition) } : {}),
  } as Methods[M]['params']
}

function invalid(method: string, problem: string) {
  return new ProcessManagerError(
    'INVALID_REQUEST',
    `The daemon cannot take the request ${JSON.stringify(method)}: ${problem}.`,
    { details: { method } },
  )
}
