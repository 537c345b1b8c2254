/** The globals that a handler gets, in addition to those of the engine, when its code names one of them. */
export const WEB_APIS = [
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'Headers',
  'Request',
  'Response',
  'fetch',
  'crypto',
  'Crypto',
  'CryptoKey',
  'SubtleCrypto',
  'structuredClone',
  'Event',
  'CustomEvent',
  'EventTarget',
  'AbortController',
  'AbortSignal',
] as const

/** `ctx.signal` is an AbortSignal, which only the web APIs have. */
const MENTIONS = [...WEB_APIS, 'signal']

/** A word of the code: as text of its own, or as a name in the bytecode, which is its length and its letters. */
const MENTION = new RegExp(
  MENTIONS.map((name) => {
    const length = String.raw`\x${(name.length * 2).toString(16).padStart(2, '0')}`
    return `${length}${name}|(?<![\\w$])${name}(?![\\w$])`
  }).join('|'),
)

/**
 * Whether a handler's code mentions a web API: as a name, as a property or as a word in a string.
 * A name that the code only puts together while it runs is not seen.
 */
export function mentionsWebApi(bytecode: Uint8Array): boolean {
  const text = Buffer.from(bytecode.buffer, bytecode.byteOffset, bytecode.byteLength)
  return MENTION.test(text.toString('latin1'))
}
