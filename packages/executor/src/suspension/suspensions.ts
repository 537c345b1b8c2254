import { createHash, randomUUID } from 'node:crypto'
import { describeThrown } from '@nexus/diagnostics'
import { LRUCache } from 'lru-cache'
import type { RawResult, Resumption } from '../call/call.js'
import { ExecutorError } from '../errors.js'
import type { Wait } from '../freeze/frozen-sandbox.js'
import type { HandlerSource } from '../result/error-report.js'
import type { ImageSealer } from './image-sealer.js'
import { fulfilled, rejected, type SettledWait } from './resume-outcome.js'
import {
  packCall,
  packHandler,
  type StoredCall,
  type StoredHandler,
  unpackCall,
  unpackHandler,
} from './stored-call.js'
import type { ResumeOutcome, Suspension, SuspensionWait } from './suspension.js'
import type { SuspensionStore } from './suspension-store.js'

/** A call whose leg is longer than its time limit by this much is taken to be dead. */
const CLAIM_GRACE_MS = 30_000
const REMEMBERED_NAME_CHARS = 16 * 1024 * 1024
const REMEMBERED_HANDLER_BYTES = 64 * 1024 * 1024

/** A call that this process has the right to resume. */
export interface ClaimedCall {
  readonly callId: string
  readonly token: string
  readonly stored: StoredCall
  readonly source: HandlerSource
  readonly resumption: Resumption
}

interface StoredName {
  readonly name: string
  readonly source: HandlerSource
}

/** Suspended calls in a store. */
export class Suspensions {
  readonly #store: SuspensionStore
  readonly #sealer: ImageSealer
  /** The names of the images of handlers that are in the store, by the hash of the handler. */
  readonly #handlerNames = new LRUCache<string, StoredName>({
    maxSize: REMEMBERED_NAME_CHARS,
    sizeCalculation: ({ name, source: { filename, sourceMap, source } }) =>
      name.length + filename.length + (sourceMap?.length ?? 0) + (source?.length ?? 0),
  })
  /** Opened images of handlers, by name, which says what is in them. */
  readonly #handlers = new LRUCache<string, StoredHandler>({
    maxSize: REMEMBERED_HANDLER_BYTES,
    sizeCalculation: ({ handler }) => handler.memory.length,
  })

  constructor(store: SuspensionStore, sealer: ImageSealer) {
    this.#store = store
    this.#sealer = sealer
  }

  /** Stores a call that was frozen; one that was frozen before keeps its id. */
  async save(
    { call, handler }: NonNullable<RawResult['suspended']>,
    source: HandlerSource,
    functionName: string | undefined,
    callId: string = randomUUID(),
  ): Promise<Suspension> {
    const handlerName = await this.#saveHandler({ handler, source })
    const stored = { call, handlerName, functionName, suspendedAt: Date.now() }
    const image = this.#sealer.seal(packCall(stored), callId)
    await this.#store.save(callId, image)
    return described(callId, stored, image.length)
  }

  async get(suspensionId: string): Promise<Suspension | undefined> {
    const { callId, waitId } = parsed(suspensionId)
    const found = await this.#load(callId)
    if (!found?.stored.call.waits.some(({ id }) => id === waitId)) return undefined
    return described(callId, found.stored, found.imageBytes)
  }

  /** All calls in the store, oldest first. */
  async list(): Promise<Suspension[]> {
    const all: Suspension[] = []
    for (const callId of await this.#store.list()) {
      const found = await this.#load(callId)
      if (found) all.push(described(callId, found.stored, found.imageBytes))
    }
    return all.sort((one, other) => one.suspendedAt - other.suspendedAt)
  }

  /**
   * Claims the call that a wait is of: exactly one of several callers gets it.
   *
   * @throws {@link ExecutorError} `SUSPENSION_NOT_FOUND`, `SUSPENSION_BUSY`, `SUSPENSION_REFUSED`; `INVALID_OPTIONS` for a
   *   value that cannot cross
   */
  async claim(
    suspensionId: string,
    outcome: ResumeOutcome,
    timeoutMs: number,
  ): Promise<ClaimedCall> {
    const { callId, waitId } = parsed(suspensionId)
    const target = settledBy(outcome, waitId)
    const token = randomUUID()
    const until = Date.now() + timeoutMs + CLAIM_GRACE_MS
    if ((await this.#store.claim(callId, { token, until })) === 'held') {
      throw new ExecutorError(
        'SUSPENSION_BUSY',
        `The call of suspension ${suspensionId} is being resumed: try again later`,
      )
    }
    try {
      // Another may have gone on with it, or ended it, before this claim was won.
      const found = await this.#load(callId)
      if (!found) {
        await this.#store.remove(callId)
        throw notFound(suspensionId)
      }
      const { stored } = found
      const settled = settledWaits(stored.call.waits, target)
      if (!settled) throw notFound(suspensionId)
      const { handler, source } = await this.#loadHandler(stored.handlerName)
      return { callId, token, stored, source, resumption: { call: stored.call, handler, settled } }
    } catch (error) {
      await this.#store.release(callId, token)
      throw error
    }
  }

  /** Stores how the call that was claimed goes on; gives it back to others. */
  async saveAgain(
    { callId, token, stored, source }: ClaimedCall,
    suspended: NonNullable<RawResult['suspended']>,
  ): Promise<Suspension> {
    if (!(await this.#store.holds(callId, token))) {
      throw new ExecutorError(
        'SUSPENSION_BUSY',
        'This process took so long to resume the call that another has taken over',
      )
    }
    const suspension = await this.save(suspended, source, stored.functionName, callId)
    await this.#store.release(callId, token)
    return suspension
  }

  /** The call that was claimed has ended. */
  async end({ callId, token }: ClaimedCall): Promise<void> {
    if (await this.#store.holds(callId, token)) await this.#store.remove(callId)
  }

  /** The call that was claimed did not get to run: it stays as it was. */
  async release({ callId, token }: ClaimedCall): Promise<void> {
    await this.#store.release(callId, token)
  }

  async #load(callId: string): Promise<{ stored: StoredCall; imageBytes: number } | undefined> {
    const image = await this.#store.load(callId)
    if (!image) return undefined
    const stored = await unpackCall(this.#unsealed(image, callId))
    return { stored, imageBytes: image.length }
  }

  async #saveHandler(stored: StoredHandler): Promise<string> {
    const { handler, source } = stored
    const known = this.#handlerNames.get(handler.hash)
    if (known && isSameSource(known.source, source)) return known.name
    const sourceHash = createHash('sha256').update(JSON.stringify(source)).digest('hex')
    const name = createHash('sha256').update(handler.hash).update(sourceHash).digest('hex')
    await this.#store.saveHandler(name, this.#sealer.seal(packHandler(stored), name))
    this.#handlerNames.set(handler.hash, { name, source })
    return name
  }

  async #loadHandler(name: string): Promise<StoredHandler> {
    const known = this.#handlers.get(name)
    if (known) return known
    const image = await this.#store.loadHandler(name)
    if (image) {
      const stored = unpackHandler(this.#unsealed(image, name))
      this.#handlers.set(name, stored)
      return stored
    }
    throw new ExecutorError(
      'SUSPENSION_REFUSED',
      `The image of the handler that the call needs, ${name}, is not in the store`,
    )
  }

  #unsealed(image: Uint8Array, place: string): Buffer {
    const opened = this.#sealer.open(image, place)
    if (Buffer.isBuffer(opened)) return opened
    throw new ExecutorError(
      'SUSPENSION_REFUSED',
      `The image of the suspended call ${place} is refused: ${opened.refused}`,
    )
  }
}

/** Comparing is quick: a handler gives the same strings to each of its calls, and hashing a source map takes milliseconds. */
function isSameSource(one: HandlerSource, other: HandlerSource): boolean {
  return (
    one.filename === other.filename &&
    one.sourceMap === other.sourceMap &&
    one.source === other.source
  )
}

function parsed(suspensionId: unknown): { callId: string; waitId: number } {
  const match = /^([0-9a-f-]{36})\.(\d{1,15})$/.exec(String(suspensionId))
  if (!match) throw notFound(String(suspensionId))
  return { callId: match[1]!, waitId: Number(match[2]) }
}

function notFound(suspensionId: string): ExecutorError {
  return new ExecutorError(
    'SUSPENSION_NOT_FOUND',
    `There is no suspension ${suspensionId}: it was resumed, its call has ended, or it never was`,
  )
}

function settledBy(outcome: ResumeOutcome, waitId: number): SettledWait {
  if (typeof outcome !== 'object' || outcome === null || typeof outcome.success !== 'boolean') {
    throw new ExecutorError(
      'INVALID_OPTIONS',
      'Expected an outcome { success: true, value } or { success: false, error }',
    )
  }
  try {
    return outcome.success ? fulfilled(waitId, outcome.value) : rejected(waitId, outcome.error)
  } catch (cause) {
    const { message } = describeThrown(cause)
    throw new ExecutorError('INVALID_OPTIONS', `The outcome cannot cross: ${message}`, { cause })
  }
}

/** The waits that are due by now, earliest first, and the one that is resumed; `undefined` where that is none of them. */
function settledWaits(waits: readonly Wait[], target: SettledWait): SettledWait[] | undefined {
  if (!waits.some(({ id }) => id === target.id)) return undefined
  const now = Date.now()
  const due = waits
    .filter(({ dueAt }) => dueAt !== undefined && dueAt <= now)
    .sort((one, other) => one.dueAt! - other.dueAt!)
  const settled = due.map(({ id, kind, name }) =>
    kind === 'sleep' ? fulfilled(id, undefined) : rejected(id, timedOut(name)),
  )
  return settled.some(({ id }) => id === target.id) ? settled : [...settled, target]
}

function timedOut(name: string) {
  const message = `The suspension ${name} was not resumed in time`
  return { name: 'TimeoutError', message, code: 'TIMEOUT' }
}

function described(callId: string, { call, ...facts }: StoredCall, imageBytes: number): Suspension {
  const wakes = call.waits.map(({ id, kind, name, dataJson, dueAt, since, nth }) => {
    const wait: SuspensionWait = {
      ...{ suspensionId: `${callId}.${id}`, kind, name, dueAt },
      ...(since !== undefined && { since }),
      ...(nth !== undefined && { nth }),
    }
    return dataJson === '' ? wait : { ...wait, data: JSON.parse(dataJson) as unknown }
  })
  const { dueAt, kind, ...first } = wakes.find((wait) => wait.kind === 'suspend') ?? wakes[0]!
  return {
    suspensionId: first.suspensionId,
    name: first.name,
    ...('data' in first && { data: first.data }),
    expiresAt: kind === 'suspend' ? dueAt : undefined,
    functionName: facts.functionName,
    suspendedAt: facts.suspendedAt,
    wakes,
    imageBytes,
  }
}
