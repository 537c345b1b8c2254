declare function require(name: string): {
  prototype: object
  call(self: object, options: object): void
}

/** Runs the library of streams when the first one is needed. */
const loadTransform = () => require('readable-stream/lib/internal/streams/transform.js')

/** What makes an object a stream for those that are handed one: the first use of any of them turns all of these objects into streams. */
const USES = [
  ...['addListener', 'emit', 'eventNames', 'getMaxListeners', 'listenerCount', 'listeners', 'off'],
  ...['on', 'once', 'prependListener', 'prependOnceListener', 'rawListeners', 'removeAllListeners'],
  ...['removeListener', 'setMaxListeners', 'cork', 'destroy', 'end', 'setDefaultEncoding'],
  ...['uncork', 'write', 'isPaused', 'pause', 'pipe', 'push', 'read', 'resume', 'setEncoding'],
  ...['unpipe', 'unshift', 'wrap', 'iterator', 'closed', 'destroyed', 'errored', 'readable'],
  ...['readableEnded', 'readableFlowing', 'readableHighWaterMark', 'readableLength', 'writable'],
  ...['readableObjectMode', 'writableEnded', 'writableFinished', 'writableHighWaterMark'],
  ...['writableLength', 'writableNeedDrain', 'writableObjectMode', Symbol.asyncIterator],
]

/**
 * An object of `node:crypto`, which is a Transform in Node: here it becomes one when it is used as one, so that a handler that only
 * hashes runs no library of streams.
 */
export class LazyTransform {
  readonly #options: object

  constructor(options?: object) {
    this.#options = options ?? {}
  }
  /** Makes this object a stream. */
  static start(self: LazyTransform): void {
    becomeStreams().call(self, self.#options)
  }
}

let Transform: ReturnType<typeof loadTransform> | undefined

function becomeStreams() {
  if (Transform) return Transform
  Transform = loadTransform()
  for (const name of USES) Reflect.deleteProperty(prototype, name)
  Object.setPrototypeOf(prototype, Transform.prototype)
  return Transform
}

const { prototype } = LazyTransform
const own = (self: object, name: PropertyKey, value: unknown) =>
  Object.defineProperty(self, name, { value, writable: true, enumerable: true, configurable: true })

for (const name of USES) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      becomeStreams()
      return this[name]
    },
    set(value) {
      own(this, name, value)
    },
  })
}
for (const name of ['_readableState', '_writableState']) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() {
      LazyTransform.start(this)
      return this[name]
    },
    set(value) {
      own(this, name, value)
    },
  })
}
