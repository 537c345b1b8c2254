import { createValueCodec, type ValueCodec } from './value-codec.js'
import { MAX_NESTING } from './value-limits.js'

/** The host's side of the values that cross in host calls. */
export const hostCodec: ValueCodec = createValueCodec({
  toBase64: (bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  fromBase64: (text) => Buffer.from(text, 'base64'),
  maxNesting: MAX_NESTING,
})
