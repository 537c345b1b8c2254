import { createValueCodec, type ValueCodec } from './value-codec.js'
import { MAX_NESTING } from './value-limits.js'

const codec = createValueCodec({
  toBase64: (bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  fromBase64: (text) => Buffer.from(text, 'base64'),
  maxNesting: MAX_NESTING,
})

/** The host's side of the values that cross in host calls. */
export const hostCodec: ValueCodec = {
  ...codec,
  decode: (text) => withoutStacks(() => codec.decode(text)),
}

/** An error of a guest was not made here: the frames of the decoder say nothing, and cost more than the error itself. */
function withoutStacks<T>(make: () => T): T {
  const { stackTraceLimit } = Error
  // Where the intrinsics are frozen this does nothing, as intended.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
