import Stream from 'readable-stream/lib/stream.js'
import promises from './promises.js'
import {
  duplexFromWeb,
  duplexToWeb,
  readableFromWeb,
  readableToWeb,
  writableFromWeb,
  writableToWeb,
} from './web-adapters.js'

Object.defineProperties(Stream, {
  Stream: { value: Stream, writable: true, enumerable: true, configurable: true },
  promises: { value: promises, writable: true, enumerable: true, configurable: true },
})
Object.assign(Stream.Readable, { toWeb: readableToWeb, fromWeb: readableFromWeb })
Object.assign(Stream.Writable, { toWeb: writableToWeb, fromWeb: writableFromWeb })
Object.assign(Stream.Duplex, { toWeb: duplexToWeb, fromWeb: duplexFromWeb })

export const {
  addAbortSignal,
  compose,
  destroy,
  Duplex,
  finished,
  getDefaultHighWaterMark,
  isDestroyed,
  isDisturbed,
  isErrored,
  isReadable,
  isWritable,
  PassThrough,
  pipeline,
  Readable,
  setDefaultHighWaterMark,
  Transform,
  Writable,
  _isUint8Array,
  _uint8ArrayToBuffer,
} = Stream as typeof Stream & Record<string, unknown>
export { promises, Stream }
export default Stream
