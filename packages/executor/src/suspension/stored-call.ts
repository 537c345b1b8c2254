import type { FrozenCall, FrozenHandler } from '../freeze/frozen-sandbox.js'
import type { HandlerSource } from '../result/error-report.js'
import { keptObject, type StoredObject, storedObject } from './stored-objects.js'

/** A frozen call with what the program knows of it. */
export interface StoredCall {
  readonly call: FrozenCall
  /** The name of the image of its handler in the store. */
  readonly handlerName: string
  readonly functionName: string | undefined
  readonly suspendedAt: number
}

/** The image of a handler with what errors of its calls show. */
export interface StoredHandler {
  readonly handler: FrozenHandler
  readonly source: HandlerSource
}

/** A stored call as bytes. */
export function packCall({ call, ...facts }: StoredCall): Buffer {
  const { memory, objects, ...sandbox } = call.sandbox
  const kept = objects.kept.map(storedObject)
  const stored = {
    ...facts,
    call: { ...call, sandbox: { ...sandbox, objects: { ...objects, kept } } },
  }
  return pack(stored, memory)
}

/** The opposite of {@link packCall}. */
export async function unpackCall(bytes: Buffer): Promise<StoredCall> {
  const { json, memory } = unpack(bytes)
  const { call, ...facts } = json as StoredCall
  const { objects } = call.sandbox
  const kept = await Promise.all((objects.kept as unknown as StoredObject[]).map(keptObject))
  const sandbox = { ...call.sandbox, memory, objects: { ...objects, kept } }
  return { ...facts, call: { ...call, sandbox } }
}

/** The image of a handler as bytes. */
export function packHandler({ handler, source }: StoredHandler): Buffer {
  const { memory, ...facts } = handler
  return pack({ handler: facts, source }, memory)
}

/** The opposite of {@link packHandler}. */
export function unpackHandler(bytes: Buffer): StoredHandler {
  const { json, memory } = unpack(bytes)
  const { handler, source } = json as StoredHandler
  return { handler: { ...handler, memory }, source }
}

/** The length of the JSON, the JSON, and the memory. */
function pack(json: object, memory: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(json))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text, memory])
}

function unpack(bytes: Buffer): { json: object; memory: Buffer } {
  const end = 4 + bytes.readUInt32LE(0)
  return { json: JSON.parse(bytes.toString('utf8', 4, end)) as object, memory: bytes.subarray(end) }
}
