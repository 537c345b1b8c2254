import { createValueCodec } from '../values/value-codec.js'
import { MAX_NESTING } from '../values/value-limits.js'
import { createConsole } from './console.js'
import { createDescriber } from './describe-value.js'
import { installPrelude, type Prelude } from './prelude.js'
import { HostAnswer, HostOperation } from './protocol.js'
import { installEngineGaps } from './web/engine-gaps.js'
import { installEvents } from './web/events.js'
import { installFetch } from './web/fetch-api.js'
import { installKeyFormats } from './web/key-formats.js'

/** The functions of the prelude that the host calls. */
export const PRELUDE_ENTRIES = ['load', 'run', 'settle', 'fire', 'describe'] as const

export type PreludeEntry = (typeof PRELUDE_ENTRIES)[number] & keyof Prelude

const INSTALL_WEB = `(kit) => {
  (${installEngineGaps})();
  (${installKeyFormats})()
  const signalUntil = (${installEvents})(kit);
  (${installFetch})(kit)
  return signalUntil
}`

/** The prelude as one function of the guest's `host`, with or without the web APIs. */
export function preludeSource(webApis: boolean): string {
  return `(host) => (${installPrelude})(host, {
    createCodec: ${createValueCodec},
    createDescriber: ${createDescriber},
    createConsole: ${createConsole},
    installWeb: ${webApis ? INSTALL_WEB : undefined},
    operations: ${JSON.stringify(HostOperation)},
    answers: ${JSON.stringify(HostAnswer)},
    maxNesting: ${MAX_NESTING},
  })`
}
