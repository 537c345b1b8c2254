import type { GuestNative } from '../native.js'
import type { BodyChunk, FetchRequest, FetchResponse } from '../web/fetch/fetch-messages.js'
import type { IncomingRequest, ResponsePart } from '../web/fetch/served-request.js'
import type { NativeGlobal, PartName } from './part.js'

/**
 * What each part of the platform is installed with. The guest gets the source of the function that installs it, which may use
 * nothing but this and the globals of the language.
 */
export interface GuestKit {
  /** What the engine's native extensions give; only for parts that say `native`. */
  readonly native: Pick<typeof globalThis, NativeGlobal>
  /** What another part offers; it is installed first where it is not there. List it in `needs`. */
  need<Name extends PartName>(name: Name): PartExports[Name]
  /** What another part offers, where it is there: no value can be of a class that is not. */
  loaded<Name extends PartName>(name: Name): PartExports[Name] | undefined
  /** Makes globals under these names; classes get the name and the string tag that go with it. */
  expose(globals: Record<string, unknown>): void
  /** What the host does for a guest: see `native/native-service.ts`. */
  readonly host: GuestNative
  /**
   * Asks the host to fetch; the promise settles when the head of the answer is there, or with the reason of `signal`
   * when that aborts first.
   *
   * @param upload is called with what sends parts of the body, where the request says that it `streams`
   */
  fetch(
    request: FetchRequest,
    signal: AbortSignal,
    upload?: (write: WriteBody) => void,
  ): Promise<{ response: FetchResponse; arriving: ArrivingBody }>
  setTimeout(callback: () => void, delayMs: number): number
  /** Logs an error that is not caught. */
  report(error: unknown): void
}

/** Sends the next part of a body; the answer says whether nothing more is wanted. */
export type WriteBody = (bytes: Uint8Array, ended: boolean) => Promise<BodyChunk>

/** The body of an answer that the host still receives. */
export interface ArrivingBody {
  /** What the fetch was given: it ends the body too. */
  readonly signal: AbortSignal
  /** What comes next; with `all` everything that is still to come. One read at a time. */
  read(all: boolean): Promise<BodyChunk>
  /** Nothing more is wanted. */
  cancel(): void
}

/** What the body of a request or a response is made of; of one that arrives, `first` came with the head. */
export type BodySource =
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'arriving'; arriving: ArrivingBody; first: Uint8Array }
  | { kind: 'stream'; stream: ReadableStream<Uint8Array> }

/** What a mixin of Request and Response has. */
export interface BodyMixin extends Omit<globalThis.Body, 'body'> {
  readonly body: ReadableStream<Uint8Array> | null
}

export type StreamClasses = {
  // Not yet in the declarations of TypeScript 5.9.
  ReadableStream: { from(chunks: object): ReadableStream<Uint8Array> }
} & Pick<
  typeof globalThis,
  | 'ReadableStream'
  | 'ReadableStreamDefaultController'
  | 'ReadableByteStreamController'
  | 'ReadableStreamBYOBRequest'
  | 'ReadableStreamDefaultReader'
  | 'ReadableStreamBYOBReader'
  | 'WritableStream'
  | 'WritableStreamDefaultController'
  | 'WritableStreamDefaultWriter'
  | 'TransformStream'
  | 'TransformStreamDefaultController'
  | 'ByteLengthQueuingStrategy'
  | 'CountQueuingStrategy'
>

/** What the parts offer to each other: the functions and classes as they were before any handler ran. */
export interface PartExports {
  'argument-errors': {
    /** An error with a code of Node's. */
    coded(code: string, message: string, Kind?: ErrorConstructor): Error & { code: string }
    /** What an argument of a wrong type is. */
    wrongType(name: string, expected: string, given: unknown): Error
    illegalConstructor(): Error
    /** @throws TypeError with the code `ERR_MISSING_ARGS` where there are fewer arguments than names */
    require(args: ArrayLike<unknown>, ...names: string[]): void
    /** The same for the classes that are undici's in Node: its errors have no code. */
    requireCount(args: ArrayLike<unknown>, count: number, what: string): void
    /**
     * Gives a class the members of the engine's class that it extends: on an object of another class, those of the engine
     * throw what is no value, or give a wrong one.
     *
     * @param own gives the object, or throws where it is not of the class
     */
    guardInherited(prototype: object, base: object, own: (object: object) => object): void
    /** A dictionary of options, or none. */
    optionsOf(options: unknown, name?: string): object
  }
  blob: Pick<typeof globalThis, 'Blob' | 'File'> & {
    /** The bytes of a blob: not a copy. */
    bytesOf(blob: Blob): Uint8Array
    /** A blob of these very bytes. */
    blobOf(bytes: Uint8Array, type: string): Blob
  }
  body: {
    Body: new (source: BodySource | null) => BodyMixin
    /** What a value that is given as a body is made of, and the content type that goes with it. */
    extract(init: unknown): { source: BodySource | null; type?: string }
    /** What a copy of a body is made of. */
    cloned(body: BodyMixin): BodySource | null
    /** What a body that takes the place of another is made of. */
    moved(body: BodyMixin): BodySource | null
    /** A body that is sent: its bytes where they are at hand, or a stream; it is used then. */
    take(body: BodyMixin): Uint8Array | undefined | ReadableStream<Uint8Array>
    /** The bytes of a piece of the stream of a body. */
    checked(chunk: unknown): Uint8Array
  }
  bytes: {
    /** The bytes of all pieces, `length` together. */
    concat(pieces: readonly Uint8Array[], length: number): Uint8Array
    /** A stream of a copy of the bytes. */
    streamOfBytes(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>>
  }
  crypto: {
    /** Another object of the same key, or `undefined` for what is no CryptoKey. */
    copyKey(value: object): object | undefined
  }
  encoding: Pick<typeof globalThis, 'TextEncoder' | 'TextDecoder'>
  events: Pick<
    typeof globalThis,
    'Event' | 'CustomEvent' | 'EventTarget' | 'AbortController' | 'AbortSignal'
  > & {
    /** Makes the signal of a call, which aborts at `deadline` less a little. */
    signalUntil(deadline: number): AbortSignal
  }
  fetch: {
    /** Has the handler answer a request, and sends its response in parts. */
    serve(
      handler: unknown,
      request: IncomingRequest,
      context: object,
      respond: (part: ResponsePart) => Promise<unknown>,
    ): Promise<void>
  }
  intl: undefined
  /** What Node's modules get of a call, and give it. */
  node: {
    /** The environment variables that are granted to the call. */
    env: Readonly<Record<string, string>>
    /** Called when the handler, a timer's callback or an answer has run, before the promise jobs of it. */
    turnEnded: (() => void) | undefined
  }
  'node-streams': undefined
  'event-kinds': Pick<typeof globalThis, 'MessageEvent'>
  'form-data': Pick<typeof globalThis, 'FormData'> & {
    /** A form as `multipart/form-data`, and the content type with its boundary. */
    encodeForm(form: FormData): { bytes: Uint8Array; type: string }
    /** Reads a body of the content type `type`. */
    parseForm(bytes: Uint8Array, type: string): FormData
  }
  headers: Pick<typeof globalThis, 'Headers'> & {
    /** From now on changing these headers is a TypeError. */
    makeImmutable(headers: Headers): void
  }
  streams: StreamClasses & {
    /** Whether a stream was read from or cancelled. */
    isDisturbed(stream: ReadableStream): boolean
  }
  messaging: {
    readonly MessagePort: new () => MessagePort
    newPort(): MessagePort
    /** Makes `to` the end of the channel that `port` is. */
    move(port: MessagePort, to: MessagePort): void
    /** Whether a port is closed, or was moved. */
    isDetached(port: MessagePort): boolean
  }
  'structured-clone': {
    /**
     * Clones a value as `structuredClone` does.
     *
     * @param arrivedPort is given each port that was transferred
     */
    clone(value: unknown, transfer: Iterable<unknown>, arrivedPort: (port: object) => void): unknown
  }
  'text-streams': undefined
  atomics: undefined
  base64: undefined
  compression: undefined
  microtasks: undefined
  'global-scope': undefined
  performance: undefined
  'url-pattern': undefined
  url: Pick<typeof globalThis, 'URL' | 'URLSearchParams'>
  'weak-ref': undefined
}

declare global {
  // In the engine and its libraries; not yet in the declarations of TypeScript 5.9 that are used here.
  interface String {
    toWellFormed(): string
  }
}
