import { CONTEXT_KEYS, checkFacts, type HandlerContext } from '../call/handler-context.js'
import { type CallOptions, callOptionsSchema } from '../options.js'

/** What all scripts of a context may use, and the limits of each. */
export interface ContextOptions
  extends Omit<HandlerContext, 'event' | 'eventJson' | 'attempt'>,
    Omit<CallOptions, 'isolation'> {}

const LIMITS = Object.keys(callOptionsSchema.shape).filter((name) => name !== 'isolation')
const NOT_OF_CONTEXTS = ['event', 'eventJson', 'attempt']
const FACTS = Object.keys(CONTEXT_KEYS).filter((name) => !NOT_OF_CONTEXTS.includes(name))

/**
 * Splits the options of a context into what its calls are about and their limits.
 *
 * @throws ExecutorError `INVALID_OPTIONS` for a key that is neither, and for a fact that is not what it must be
 */
export function splitContextOptions(options: ContextOptions): {
  context: HandlerContext
  limits: CallOptions
} {
  const limits = options && pick(options, (name) => LIMITS.includes(name))
  const context = options && pick(options, (name) => !LIMITS.includes(name))
  checkFacts('options', context, FACTS, `Limits are ${LIMITS.join(', ')}`)
  return { context, limits }
}

function pick(options: ContextOptions, isWanted: (name: string) => boolean): object {
  if (typeof options !== 'object') return options
  return Object.fromEntries(Object.entries(options).filter(([name]) => isWanted(name)))
}
