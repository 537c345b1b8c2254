import type { GuestKit, PartExports, StreamClasses } from '../../platform/kit.js'

/**
 * Installs the streams of the WHATWG Streams standard in the guest: those of web-streams-polyfill.
 *
 * @param load runs the library, which looks for `AbortController` when it starts, and makes its errors of these classes
 */
export function installStreams(
  kit: GuestKit,
  load: (typeError: ErrorConstructor, rangeError: ErrorConstructor) => StreamClasses,
): PartExports['streams'] {
  kit.need('events')
  const { coded } = kit.need('argument-errors')
  /** The library's errors have texts alone. */
  const CODES: [text: RegExp, code: string][] = [
    [/^Illegal constructor/, 'ERR_ILLEGAL_CONSTRUCTOR'],
    [/ can only be used on an? [A-Z]\w+$/, 'ERR_INVALID_THIS'],
    [/highWaterMark is required in /, 'ERR_MISSING_OPTION'],
    [/not iterable|asyncIterator/, 'ERR_ARG_NOT_ITERABLE'],
    [/ enumeration value /, 'ERR_INVALID_ARG_VALUE'],
    [
      / is not an? | is required in | must be an? | must have | first argument /,
      'ERR_INVALID_ARG_TYPE',
    ],
  ]
  const codedBy = (Kind: ErrorConstructor, otherwise: string): ErrorConstructor =>
    new Proxy(Kind, {
      construct(_, [message]: string[]) {
        const [, code = otherwise] = CODES.find(([text]) => text.test(message!)) ?? []
        return coded(code, message!, Kind)
      },
    })
  const library = load(
    codedBy(TypeError, 'ERR_INVALID_STATE'),
    codedBy(RangeError, 'ERR_INVALID_ARG_VALUE'),
  )
  const { prototype } = library.ReadableStream
  const pipe = prototype.pipeTo
  // The library rejects with a text.
  prototype.pipeTo = async function pipeTo(
    ...args: [to: WritableStream, options?: StreamPipeOptions]
  ) {
    if (args[0] === undefined) {
      throw coded('ERR_INVALID_ARG_TYPE', 'The "destination" argument must be a WritableStream')
    }
    return pipe.apply(this, args)
  }
  kit.expose({
    ReadableStream: library.ReadableStream,
    ReadableStreamDefaultController: library.ReadableStreamDefaultController,
    ReadableByteStreamController: library.ReadableByteStreamController,
    ReadableStreamBYOBRequest: library.ReadableStreamBYOBRequest,
    ReadableStreamDefaultReader: library.ReadableStreamDefaultReader,
    ReadableStreamBYOBReader: library.ReadableStreamBYOBReader,
    WritableStream: library.WritableStream,
    WritableStreamDefaultController: library.WritableStreamDefaultController,
    WritableStreamDefaultWriter: library.WritableStreamDefaultWriter,
    TransformStream: library.TransformStream,
    TransformStreamDefaultController: library.TransformStreamDefaultController,
    ByteLengthQueuingStrategy: library.ByteLengthQueuingStrategy,
    CountQueuingStrategy: library.CountQueuingStrategy,
  })
  return {
    ...library,
    // The standard has no name for it; the library keeps the slot that the standard describes under this one.
    isDisturbed: (stream) => (stream as unknown as { _disturbed: boolean })._disturbed,
  }
}
