import { createValueCodec } from '../values/value-codec.js'
import { MAX_NESTING } from '../values/value-limits.js'
import { createConsole } from './console.js'
import { createDescriber } from './describe-value.js'
import { installErrorStacks } from './error-stacks.js'
import { createAnswerOpener, NATIVE_SYMBOL } from './native.js'
import { createPlatform } from './platform/create-platform.js'
import { NATIVE_GLOBALS } from './platform/part.js'
import { installPrelude, type Prelude } from './prelude.js'
import { HostAnswer, HostOperation } from './protocol.js'

/** The functions of the prelude that the host calls. */
export const PRELUDE_ENTRIES = [
  'install',
  'load',
  'run',
  'enter',
  'evaluated',
  'resume',
  'settle',
  'fire',
  'describe',
] as const

export type PreludeEntry = (typeof PRELUDE_ENTRIES)[number] & keyof Prelude

/**
 * The prelude as one function of the guest's `host`.
 *
 * @param native whether the engine has its native extensions
 */
export function preludeSource(native: boolean): string {
  return `(host) => (${installPrelude})(host, {
    createCodec: ${createValueCodec},
    installErrorStacks: ${installErrorStacks},
    createDescriber: ${createDescriber},
    createConsole: ${createConsole},
    createAnswerOpener: ${createAnswerOpener},
    createPlatform: ${createPlatform},
    nativeGlobals: ${JSON.stringify(native ? NATIVE_GLOBALS : [])},
    operations: ${JSON.stringify(HostOperation)},
    answers: ${JSON.stringify(HostAnswer)},
    nativeSymbol: ${JSON.stringify(NATIVE_SYMBOL)},
    maxNesting: ${MAX_NESTING},
  })`
}
