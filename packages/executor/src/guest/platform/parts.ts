import { SUBTLE_METHODS } from '../../native/crypto/subtle/subtle-methods.js'
import { installIntl } from '../intl/install-intl.js'
import { installNodeHost } from '../node/node-host.js'
import { installNodeStreams } from '../node/node-streams.js'
import { installArgumentErrors } from '../web/argument-errors.js'
import { installAtomics } from '../web/atomics.js'
import { installBase64 } from '../web/base64.js'
import { installCrypto } from '../web/crypto/crypto.js'
import { createParameterWriters } from '../web/crypto/parameter-writer.js'
import { createSubtle } from '../web/crypto/subtle-crypto.js'
import { installEncoding } from '../web/encoding.js'
import { installEventKinds } from '../web/events/event-kinds.js'
import { installEvents } from '../web/events/events.js'
import { installMessaging } from '../web/events/messaging.js'
import { installBlob } from '../web/fetch/blob.js'
import { installBody } from '../web/fetch/body.js'
import { installBytes } from '../web/fetch/bytes.js'
import { installFetch } from '../web/fetch/fetch-api.js'
import { installFormData } from '../web/fetch/form-data.js'
import { installHeaders } from '../web/fetch/headers.js'
import { installGlobalScope } from '../web/global-scope.js'
import { installMicrotasks } from '../web/microtasks.js'
import { installPerformance } from '../web/performance.js'
import { installCompression } from '../web/streams/compression.js'
import { installStreams } from '../web/streams/streams.js'
import { installTextStreams } from '../web/streams/text-streams.js'
import { installStructuredClone } from '../web/structured-clone.js'
import { installUrl } from '../web/url.js'
import { installWeakRef } from '../web/weak-ref.js'
import { librarySource } from './library-source.js'
import type { Part, PartName } from './part.js'

/** All parts. To add one: a function `(kit) => exports` in a file of its own, and its line here. */
export const PARTS: Readonly<Record<PartName, Part>> = {
  'argument-errors': {
    globals: [],
    source: () => `${installArgumentErrors}`,
  },
  atomics: {
    globals: ['Atomics'],
    source: () => `${installAtomics}`,
  },
  base64: {
    globals: ['atob', 'btoa'],
    needs: ['argument-errors'],
    source: () => `${installBase64}`,
  },
  blob: {
    globals: ['Blob', 'File'],
    needs: ['argument-errors', 'bytes', 'encoding', 'streams'],
    source: () => `${installBlob}`,
  },
  body: {
    globals: [],
    needs: ['blob', 'bytes', 'encoding', 'form-data', 'streams', 'url'],
    source: () => `${installBody}`,
  },
  bytes: {
    globals: [],
    needs: ['streams'],
    source: () => `${installBytes}`,
  },
  compression: {
    globals: ['CompressionStream', 'DecompressionStream'],
    needs: ['argument-errors', 'streams'],
    source: () => `${installCompression}`,
  },
  crypto: {
    globals: ['crypto', 'Crypto', 'CryptoKey', 'SubtleCrypto'],
    needs: ['argument-errors'],
    source: () =>
      `(kit) => (${installCrypto})(kit, {
        createSubtle: ${createSubtle},
        createParameterWriters: ${createParameterWriters},
        isThere: (method) => ${JSON.stringify(SUBTLE_METHODS)}.includes(method),
      })`,
  },
  encoding: {
    globals: ['TextEncoder', 'TextDecoder'],
    needs: ['argument-errors'],
    native: true,
    source: () => `${installEncoding}`,
  },
  'event-kinds': {
    globals: ['MessageEvent', 'ErrorEvent', 'PromiseRejectionEvent'],
    needs: ['events'],
    source: () => `${installEventKinds}`,
  },
  events: {
    globals: ['Event', 'CustomEvent', 'EventTarget', 'AbortController', 'AbortSignal'],
    // `ctx.signal` is an AbortSignal.
    words: ['signal'],
    needs: ['argument-errors'],
    source: () => `${installEvents}`,
  },
  fetch: {
    globals: ['Request', 'Response', 'fetch'],
    needs: ['body', 'bytes', 'encoding', 'events', 'headers', 'url'],
    source: () => `${installFetch}`,
  },
  'form-data': {
    globals: ['FormData'],
    needs: ['argument-errors', 'blob', 'bytes', 'encoding', 'url'],
    source: () => `${installFormData}`,
  },
  'global-scope': {
    globals: ['self', 'navigator', 'Navigator', 'reportError'],
    needs: ['argument-errors'],
    source: () => `${installGlobalScope}`,
  },
  headers: {
    globals: ['Headers'],
    needs: ['argument-errors'],
    native: true,
    source: () => `${installHeaders}`,
  },
  intl: {
    globals: ['Intl'],
    words: [
      'localeCompare',
      'toLocaleDateString',
      'toLocaleLowerCase',
      'toLocaleString',
      'toLocaleTimeString',
      'toLocaleUpperCase',
    ],
    source: () => `${installIntl}`,
  },
  messaging: {
    globals: ['MessageChannel', 'MessagePort'],
    needs: ['argument-errors', 'event-kinds', 'events', 'structured-clone'],
    source: () => `${installMessaging}`,
  },
  microtasks: {
    globals: ['queueMicrotask'],
    needs: ['argument-errors'],
    source: () => `${installMicrotasks}`,
  },
  node: {
    globals: [],
    words: ['nexus_platform'],
    source: () => `${installNodeHost}`,
  },
  'node-streams': {
    globals: [],
    words: ['nexus_web_streams'],
    needs: ['streams'],
    source: () => `${installNodeStreams}`,
  },
  performance: {
    globals: ['Performance'],
    needs: ['argument-errors', 'events'],
    source: () => `${installPerformance}`,
  },
  streams: {
    globals: [
      'ReadableStream',
      'ReadableStreamDefaultController',
      'ReadableByteStreamController',
      'ReadableStreamBYOBRequest',
      'ReadableStreamDefaultReader',
      'ReadableStreamBYOBReader',
      'WritableStream',
      'WritableStreamDefaultController',
      'WritableStreamDefaultWriter',
      'TransformStream',
      'TransformStreamDefaultController',
      'ByteLengthQueuingStrategy',
      'CountQueuingStrategy',
    ],
    needs: ['argument-errors', 'events'],
    source: () => {
      const library = librarySource('web-streams-polyfill')
      return `(kit) => (${installStreams})(kit, (TypeError, RangeError) => ${library})`
    },
  },
  'structured-clone': {
    globals: ['structuredClone'],
    needs: ['argument-errors'],
    source: () => `${installStructuredClone}`,
  },
  'text-streams': {
    globals: ['TextEncoderStream', 'TextDecoderStream'],
    needs: ['encoding', 'streams'],
    source: () => `${installTextStreams}`,
  },
  url: {
    globals: ['URL', 'URLSearchParams'],
    needs: ['argument-errors'],
    native: true,
    source: () => `${installUrl}`,
  },
  'url-pattern': {
    globals: ['URLPattern'],
    needs: ['url'],
    source: () =>
      `(kit) => { kit.need('url'); kit.expose(${librarySource('urlpattern-polyfill/urlpattern')}) }`,
  },
  'weak-ref': {
    globals: ['WeakRef'],
    source: () => `${installWeakRef}`,
  },
}

/** These parts, and all that they may ask for. */
export function withNeeds(names: Iterable<PartName>): Set<PartName> {
  const all = new Set(names)
  for (const name of all) for (const needed of PARTS[name].needs ?? []) all.add(needed)
  return all
}

/** Whether one of these parts, or of those they need, is made of the engine's native extensions. */
export function areNative(names: Iterable<PartName>): boolean {
  return [...withNeeds(names)].some((name) => PARTS[name].native)
}
