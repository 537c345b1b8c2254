/** An object of each class, in the state in which most of its methods do something. */
const INSTANCES: Record<string, () => unknown> = {
  AbortController: () => new AbortController(),
  AbortSignal: () => new AbortController().signal,
  Blob: () => new Blob(['ab'], { type: 'text/plain' }),
  ByteLengthQueuingStrategy: () => new ByteLengthQueuingStrategy({ highWaterMark: 3 }),
  CompressionStream: () => new CompressionStream('gzip'),
  CountQueuingStrategy: () => new CountQueuingStrategy({ highWaterMark: 3 }),
  Crypto: () => crypto,
  CryptoKey: () =>
    crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['encrypt', 'decrypt']),
  CustomEvent: () => new CustomEvent('x', { detail: 5 }),
  DecompressionStream: () => new DecompressionStream('gzip'),
  DOMException: () => new DOMException('m', 'AbortError'),
  Event: () => new Event('x', { cancelable: true }),
  EventTarget: () => new EventTarget(),
  File: () => new File(['ab'], 'n', { lastModified: 3 }),
  FormData: () => {
    const form = new FormData()
    form.append('x', 'y')
    return form
  },
  Headers: () => new Headers({ x: 'y' }),
  MessageEvent: () => new MessageEvent('message', { data: 5 }),
  ReadableStream: () => new ReadableStream(),
  ReadableStreamBYOBReader: () => new ReadableStream({ type: 'bytes' }).getReader({ mode: 'byob' }),
  ReadableStreamDefaultController: () => controllerOf({}),
  ReadableByteStreamController: () => controllerOf({ type: 'bytes' }),
  ReadableStreamDefaultReader: () => new ReadableStream().getReader(),
  Request: () => new Request('http://a.example/', { method: 'POST', body: 'ab' }),
  Response: () => new Response('ab'),
  SubtleCrypto: () => crypto.subtle,
  TextDecoder: () => new TextDecoder(),
  TextDecoderStream: () => new TextDecoderStream(),
  TextEncoder: () => new TextEncoder(),
  TextEncoderStream: () => new TextEncoderStream(),
  TransformStream: () => new TransformStream(),
  TransformStreamDefaultController: () => {
    let controller: unknown
    new TransformStream({
      start(given) {
        controller = given
      },
    })
    return controller
  },
  URL: () => new URL('http://a.example/?x=y'),
  URLSearchParams: () => new URLSearchParams('x=y'),
  WritableStream: () => new WritableStream(),
  WritableStreamDefaultController: () => {
    let controller: unknown
    new WritableStream({
      start(given) {
        controller = given
      },
    })
    return controller
  },
  WritableStreamDefaultWriter: () => new WritableStream().getWriter(),
}

function controllerOf(source: object): unknown {
  let controller: unknown
  new ReadableStream({
    ...source,
    start(given) {
      controller = given
    },
  })
  return controller
}

/** What is handed over where something else is wanted, or nothing. */
const ARGUMENTS: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  '-1': () => -1,
  NaN: () => Number.NaN,
  text: () => 'x',
  'empty text': () => '',
  symbol: () => Symbol('s'),
  bigint: () => 1n,
  object: () => ({}),
  array: () => [],
  'array of text': () => ['x'],
  function: () => () => undefined,
  date: () => new Date(0),
  bytes: () => new Uint8Array(2),
}

const FUNCTIONS = [
  'atob',
  'btoa',
  'clearInterval',
  'clearTimeout',
  'queueMicrotask',
  'structuredClone',
] as const

function failure(error: unknown): string {
  try {
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
    return `throws ${String(name)} ${String(code)}`
  } catch {
    return 'throws what is no value'
  }
}

/** What a call gives: not the value, but its kind. */
async function outcome(call: () => unknown, timeUp: Promise<string>): Promise<string> {
  let value: unknown
  try {
    value = call()
  } catch (error) {
    return failure(error)
  }
  if (!(value instanceof Promise)) return `gives ${kindOf(value)}`
  const settled = value.then(
    (made) => `resolves to ${kindOf(made)}`,
    (error) => `rejects: ${failure(error)}`,
  )
  return Promise.race([settled, timeUp])
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

/**
 * Every constructor, method, getter and setter of every class: what it looks like, and what it gives for each kind of argument, for
 * none, and on a receiver that is not of the class. It finds them by itself.
 */
export async function everyCall(): Promise<Record<string, string>> {
  const found: Record<string, Promise<string>> = {}
  const timeUp = new Promise<string>((resolve) => {
    setTimeout(() => resolve('waits'), 1500)
  })
  const calls = (label: string, run: (...args: unknown[]) => unknown) => {
    found[`${label}()`] = outcome(run, timeUp)
    for (const [kind, make] of Object.entries(ARGUMENTS)) {
      found[`${label}(${kind})`] = outcome(() => run(make()), timeUp)
      found[`${label}('x', ${kind})`] = outcome(() => run('x', make()), timeUp)
    }
  }
  for (const [name, make] of Object.entries(INSTANCES)) {
    const Class = (globalThis as unknown as Record<string, new (...args: unknown[]) => object>)[
      name
    ]!
    const instance = async () => make()
    found[`${name}() without new`] = outcome(() => (Class as unknown as () => unknown)(), timeUp)
    calls(`new ${name}`, (...args) => void new Class(...args))
    for (const key of Object.getOwnPropertyNames(Class)) {
      const method = (Class as unknown as Record<string, unknown>)[key]
      if (typeof method !== 'function' || key === 'prototype') continue
      calls(`${name}.${key}`, (...args) => method.apply(Class, args))
    }
    for (const key of Object.getOwnPropertyNames(Class.prototype)) {
      if (key === 'constructor' || key.startsWith('_')) continue
      // A wrong argument of it ends the process of Node 20.
      if (key === 'slice') continue
      const member = `${name}#${key}`
      const { value, get, set } = Object.getOwnPropertyDescriptor(Class.prototype, key)!
      found[`${member}: shape`] = Promise.resolve(shapeOf(Class.prototype, key))
      for (const [kind, part] of Object.entries({ value, get, set })) {
        if (typeof part !== 'function') continue
        found[`${member} ${kind} on another`] = outcome(() => part.call({}, 'x', 'x'), timeUp)
        if (kind === 'get')
          found[`${member} get`] = instance().then((own) => outcome(() => part.call(own), timeUp))
        else {
          const ready = await instance()
          const again = ready instanceof Promise ? await ready : ready
          const isOnce = name === 'CryptoKey' || name === 'SubtleCrypto'
          calls(`${member} ${kind}`, (...args) => part.apply(isOnce ? again : make(), args))
        }
      }
    }
  }
  for (const name of FUNCTIONS) {
    const run = globalThis[name] as (...args: unknown[]) => unknown
    calls(name, run)
  }
  const entries = Object.entries(found).map(async ([label, what]) => [label, await what] as const)
  return Object.fromEntries(await Promise.all(entries))
}

function shapeOf(target: object, key: string): string {
  const { value, get, set, enumerable } = Object.getOwnPropertyDescriptor(target, key)!
  const seen = enumerable ? 'enumerable' : 'hidden'
  if (get || set) return `${seen} ${[get && 'get', set && 'set'].filter(Boolean).join(' and ')}`
  return typeof value === 'function' ? `${seen} method` : `${seen} ${value}`
}

export default everyCall
