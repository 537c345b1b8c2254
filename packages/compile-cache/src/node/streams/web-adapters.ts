import Stream from 'readable-stream/lib/stream.js'
import { Buffer } from '../bytes/buffer-class.js'
import { abortError } from '../events/abort-error.js'
import { assertObject, invalidType } from '../node-error.js'

type WebClasses = Pick<typeof globalThis, 'ReadableStream' | 'WritableStream'>
type Done = (error?: unknown) => void
interface Options {
  objectMode?: boolean
  readableObjectMode?: boolean
  writableObjectMode?: boolean
  decodeStrings?: boolean
  strategy?: QueuingStrategy
  [name: string]: unknown
}
// biome-ignore lint/suspicious/noExplicitAny: streams of a library without types
type NodeStream = any

/** The web streams of the sandbox: the text of a handler that only has Node's streams does not call for them. */
const web = (): WebClasses =>
  (globalThis as unknown as Record<symbol, () => WebClasses>)[Symbol.for('nexus_web_streams')]!()

const { finished } = Stream as NodeStream
const toBuffer = Buffer.from as (value: unknown, encoding?: unknown) => Uint8Array

/** A promise that a callback settles. */
function settledBy(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())))
}

/** As much as the stream of Node holds: items, or bytes. */
function strategyOf(
  stream: 'readable' | 'writable',
  of: NodeStream,
  given?: QueuingStrategy,
): QueuingStrategy {
  const highWaterMark: number = of[`${stream}HighWaterMark`]
  const isObjects: boolean = of[`${stream}ObjectMode`]
  return given ?? (isObjects ? { highWaterMark } : { highWaterMark, size: lengthOf })
}
const lengthOf = (chunk: { length?: number } | undefined) => chunk?.length ?? 1

/** What ended before its end was cut off: an abort for who reads the web stream. */
function reasonOf(error: { code?: string } | undefined): unknown {
  return error?.code === 'ERR_STREAM_PREMATURE_CLOSE' ? abortError(undefined) : error
}

/** `Readable.toWeb` */
export function readableToWeb(readable: NodeStream, options: Options = {}): ReadableStream {
  if (typeof readable?._readableState !== 'object') {
    throw invalidType('streamReadable', 'an stream.Readable', readable)
  }
  const { ReadableStream } = web()
  if (readable.destroyed || !readable.readable) {
    const ended = new ReadableStream()
    void ended.cancel()
    return ended
  }
  const isBytes = !readable.readableObjectMode
  let controller: ReadableStreamDefaultController
  readable.pause()
  readable.on('data', (chunk: unknown) => {
    controller.enqueue(isBytes && chunk instanceof Uint8Array ? new Uint8Array(chunk) : chunk)
    if ((controller.desiredSize ?? 0) <= 0) readable.pause()
  })
  const forget = finished(readable, (error?: { code?: string }) => {
    forget()
    readable.on('error', () => {})
    if (error) controller.error(reasonOf(error))
    else controller.close()
  })
  return new ReadableStream(
    {
      start(given) {
        controller = given as ReadableStreamDefaultController
      },
      pull: () => readable.resume(),
      cancel: (reason) => readable.destroy(reason),
    },
    strategyOf('readable', readable, options.strategy),
  )
}

/** `Readable.fromWeb` */
export function readableFromWeb(stream: ReadableStream, options: Options = {}): NodeStream {
  if (typeof stream?.getReader !== 'function') {
    throw invalidType('readableStream', 'an instance of ReadableStream', stream)
  }
  const reader = stream.getReader()
  let isClosed = false
  const readable: NodeStream = new (Stream as NodeStream).Readable({
    ...options,
    read() {
      reader.read().then(
        ({ done, value }) => readable.push(done ? null : value),
        (error) => readable.destroy(error),
      )
    },
    destroy(error: unknown, done: Done) {
      const over = () => done(error)
      if (isClosed) over()
      else reader.cancel(error).then(over, over)
    },
  })
  reader.closed.then(
    () => {
      isClosed = true
    },
    (error) => {
      isClosed = true
      readable.destroy(error)
    },
  )
  return readable
}

/** `Writable.toWeb` */
export function writableToWeb(writable: NodeStream, options: Options = {}): WritableStream {
  if (typeof writable?._writableState !== 'object') {
    throw invalidType('streamWritable', 'an stream.Writable', writable)
  }
  const { WritableStream } = web()
  if (writable.destroyed || !writable.writable) {
    const closed = new WritableStream()
    void closed.close()
    return closed
  }
  let controller: WritableStreamDefaultController
  let drained: Done | undefined
  let closed: Done | undefined
  const forget = finished(writable, (error?: { code?: string }) => {
    forget()
    writable.on('error', () => {})
    const reason = error && reasonOf(error)
    drained?.(reason)
    if (closed) closed(reason)
    else controller.error(reason ?? abortError(undefined))
  })
  writable.on('drain', () => drained?.())
  return new WritableStream(
    {
      start(given) {
        controller = given
      },
      write(chunk) {
        if (!writable.writableNeedDrain && writable.write(chunk)) return undefined
        return settledBy((done) => {
          drained = done
        })
      },
      abort: (reason) => writable.destroy(reason),
      close: () =>
        settledBy((done) => {
          closed = done
          writable.end()
        }),
    },
    strategyOf('writable', writable, options.strategy),
  )
}

/** `Writable.fromWeb` */
export function writableFromWeb(stream: WritableStream, options: Options = {}): NodeStream {
  if (typeof stream?.getWriter !== 'function') {
    throw invalidType('writableStream', 'an instance of WritableStream', stream)
  }
  const writer = stream.getWriter()
  const methods = writerMethods(writer, options)
  const writable: NodeStream = new (Stream as NodeStream).Writable({ ...options, ...methods })
  writer.closed.then(methods.closed, (error) => {
    methods.closed()
    writable.destroy(error)
  })
  return writable
}

/** What a Writable does that hands everything to a web stream. */
function writerMethods(writer: WritableStreamDefaultWriter, options: Options) {
  const { objectMode, writableObjectMode = objectMode, decodeStrings = true } = options
  let isClosed = false
  return {
    closed() {
      isClosed = true
    },
    write(chunk: unknown, encoding: string, done: Done) {
      const isText = typeof chunk === 'string' && decodeStrings && !writableObjectMode
      const sent = isText ? new Uint8Array(toBuffer(chunk, encoding)) : chunk
      writer.ready.then(() => writer.write(sent)).then(() => done(), done)
    },
    final(done: Done) {
      if (isClosed) done()
      else writer.close().then(() => done(), done)
    },
    destroy(error: unknown, done: Done) {
      const over = () => done(error)
      if (isClosed) over()
      else (error ? writer.abort(error) : writer.close()).then(over, over)
    },
  }
}

/** `Duplex.toWeb` */
export function duplexToWeb(duplex: NodeStream): {
  readable: ReadableStream
  writable: WritableStream
} {
  return { readable: readableToWeb(duplex), writable: writableToWeb(duplex) }
}

/** `Duplex.fromWeb` */
export function duplexFromWeb(
  pair: { readable: ReadableStream; writable: WritableStream },
  options: Options = {},
): NodeStream {
  assertObject(pair, 'pair')
  const source = readableFromWeb(pair.readable, {
    objectMode: options.readableObjectMode ?? options.objectMode ?? false,
  })
  const writer = pair.writable.getWriter()
  const methods = writerMethods(writer, options)
  const duplex: NodeStream = new (Stream as NodeStream).Duplex({
    ...options,
    ...methods,
    read: () => source.resume(),
    destroy(error: unknown, done: Done) {
      source.destroy()
      methods.destroy(error, done)
    },
  })
  source.pause()
  source.on('data', (chunk: unknown) => {
    if (!duplex.push(chunk)) source.pause()
  })
  source.on('end', () => duplex.push(null))
  source.on('error', (error: unknown) => duplex.destroy(error))
  writer.closed.then(methods.closed, (error) => {
    methods.closed()
    duplex.destroy(error)
  })
  return duplex
}
