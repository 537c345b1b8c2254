import { type GuestPtr, MAX_HOST_ANSWER, type QuickJSInstance } from '@nexus/instance-pool'
import type { Answer, CallRequest, Question, RawEvent, RawLog } from '../call/call.js'
import { isGranted } from '../call/capabilities.js'
import { areAttributes, isEventPattern, isEventType } from '../call/event-attributes.js'
import { isEventMatch } from '../call/event-match.js'
import type { Refusals } from '../call/guest-failure.js'
import type { PausedTimer, Wait } from '../freeze/frozen-sandbox.js'
import {
  HostAnswer,
  HostOperation,
  INVOCATION_PREFIX,
  LOG_LEVELS,
  WAIT_KINDS,
} from '../guest/protocol.js'
import type { NativeCalls } from '../native/native-calls.js'
import { decodePart, decodeRequest } from '../net/fetch-request.js'
import { logLimitNotice, maxLogLines } from '../result/log-limit.js'
import { type Redact, redactor } from '../result/redactor.js'
import { fieldsJson, printedText } from '../result/shown-value.js'
import { JsonMeter } from '../values/json-meter.js'
import { measureEncoded } from '../values/measure-encoded.js'

/** The longest text a host call takes for a name: event types, the names of host functions. */
const MAX_NAME_BYTES = 1024
const MAX_ATTRIBUTES_BYTES = 16 * 1024
/** The URL and the headers of a fetch. */
const MAX_REQUEST_HEAD_BYTES = 64 * 1024
/** Node's own limit of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Descriptions of values are longer than the lines that are made of them. */
const DESCRIPTION_FACTOR = 4

const ANSWERS = {
  deep: HostAnswer.TooDeep,
  large: HostAnswer.TooLarge,
  malformed: HostAnswer.Malformed,
}
const NO_REFUSALS: Refusals = new Set()
const NOTHING: readonly never[] = []

/** More waits than a handler has a use for. */
const MAX_WAITS = 1000
const NO_WAITS: ReadonlyMap<number, Wait> = new Map()

interface Timer {
  readonly timer: NodeJS.Timeout
  /** On the clock of `performance.now()`. */
  readonly dueAt: number
  /** Of one that repeats. */
  readonly everyMs: number | undefined
}

/** The call that the host calls belong to. */
export interface HostCaller {
  /** The guest asks the host's thread something. */
  ask(id: number, question: Question): void
  /** The guest no longer waits for the answer. */
  withdraw(id: number): void
  /** A timer of the guest is due. */
  fire(id: number): void
  /** The guest needs a part of the platform; gives a number of `HostAnswer`. */
  install(part: string | undefined): number
  /** Makes what serves the native services, when the guest asks for one. */
  openNative(): NativeCalls
}

/** What one call asks of the host; each argument is checked as if an enemy chose it. */
export class HostCalls {
  readonly #request: CallRequest
  readonly #instance: QuickJSInstance
  readonly #caller: HostCaller
  #count = 0
  #limitedCalls = 0
  /** The fetches that answers are due of, by the id of the question: of the fetch itself, or for its body. */
  #bodyReads: Map<number, number> | undefined
  #timers: Map<number, Timer> | undefined
  #waits: Map<number, Wait> | undefined
  /** Fetches whose answer has come, but not all of its body. */
  #openBodies: Set<number> | undefined
  #native: NativeCalls | undefined
  /** The questions that are not answered, and how many bytes each holds. */
  #pending: Map<number, number> | undefined
  #pendingBytes = 0
  #eventBytes = 0
  #fetches = 0
  #logBytes = 0
  #logsDropped = false
  #refusals: Set<number> | undefined
  readonly #meter = new JsonMeter()
  #redactor: Redact | undefined
  /** Counts what the thread parses of descriptions, which the host's thread never sees. */
  #descriptions: JsonMeter | undefined
  #events: RawEvent[] | undefined
  #logs: RawLog[] | undefined

  constructor(request: CallRequest, instance: QuickJSInstance, caller: HostCaller) {
    this.#request = request
    this.#instance = instance
    this.#caller = caller
  }

  /** Counts what the events and the log lines cost the host's thread; the result is added at the end. */
  get meter(): JsonMeter {
    return this.#meter
  }

  /** Host calls so far. */
  get count(): number {
    return this.#count
  }

  get events(): readonly RawEvent[] {
    return this.#events ?? NOTHING
  }

  get logs(): readonly RawLog[] {
    return this.#logs ?? NOTHING
  }

  /** The answers by which the host refused something. */
  get refusals(): Refusals {
    return this.#refusals ?? NO_REFUSALS
  }

  /** Whether an answer or a timer is still to come. */
  get areOpen(): boolean {
    return Boolean(this.#pending?.size || this.#timers?.size || this.#native?.open)
  }

  /** What may take days to come: the call may be frozen meanwhile. */
  get waits(): ReadonlyMap<number, Wait> {
    return this.#waits ?? NO_WAITS
  }

  /** Whether an answer is still to come that the call cannot be frozen before; timers go on where they stood. */
  get areAnswersDue(): boolean {
    return Boolean(this.#pending?.size || this.#native?.open)
  }

  /** Why the call cannot be frozen now, if so. */
  get obstacle(): string | undefined {
    return this.#openBodies?.size ? 'the body of a fetch that was not read to its end' : undefined
  }

  /** The timers with what is left of them. */
  pausedTimers(): PausedTimer[] {
    const now = performance.now()
    return [...(this.#timers ?? [])].map(([id, { dueAt, everyMs }]) => ({
      id,
      leftMs: everyMs ?? Math.max(0, dueAt - now),
      everyMs,
    }))
  }

  /** Goes on with the timers and the waits of a call that was frozen. */
  goOn(timers: readonly PausedTimer[], waits: readonly Wait[]): void {
    for (const { id, leftMs, everyMs } of timers) this.#startTimer(id, leftMs, everyMs)
    this.#waits = new Map(waits.map((wait) => [wait.id, wait]))
  }

  /** A wait is settled. */
  waited(id: number): void {
    this.#waits?.delete(id)
  }

  /** Serves a host call; answers a number of `HostAnswer`, or the pointer of a value: see `HostCall`. */
  serve(args: readonly GuestPtr[]): number {
    this.#count++
    const answer = this.#dispatch(args)
    if (answer !== HostAnswer.Ok && answer <= MAX_HOST_ANSWER) this.refused(answer)
    return answer
  }

  /** The host refused something: an error of the guest may be about that. */
  refused(answer: number): void {
    this.#refusals ??= new Set()
    this.#refusals.add(answer)
  }

  /** A question was answered. */
  answered(id: number, answer: Answer): void {
    const fetchId = this.#bodyReads?.get(id)
    if (fetchId !== undefined)
      this.#noteBody(fetchId, 'response' in answer && !answer.response.ended)
    this.#bodyReads?.delete(id)
    this.#pendingBytes -= this.#pending?.get(id) ?? 0
    this.#pending?.delete(id)
  }

  /** No timer fires and no native work starts from now on. */
  end(): void {
    this.#native?.end()
    if (this.#timers) for (const { timer } of this.#timers.values()) clearTimeout(timer)
  }

  #dispatch(args: readonly GuestPtr[]): number {
    switch (this.#instance.readNumber(args[0] ?? 0)) {
      case HostOperation.Log:
        return this.#log(args)
      case HostOperation.LogDescribed:
        return this.#logDescribed(args)
      case HostOperation.Print:
        return this.#print(args)
      case HostOperation.Emit:
        return this.#limited() ?? this.#emit(args)
      case HostOperation.Call:
        return this.#limited() ?? this.#callHostFunction(args)
      case HostOperation.SetTimer:
        return this.#limited() ?? this.#setTimer(args)
      case HostOperation.ClearTimer:
        return this.#clearTimer(args)
      case HostOperation.Fetch:
        return this.#limited() ?? this.#fetch(args)
      case HostOperation.ReadBody:
        return this.#limited() ?? this.#readBody(args)
      case HostOperation.WriteBody:
        return this.#limited() ?? this.#writeBody(args)
      case HostOperation.Abort:
        return this.#limited() ?? this.#withdraw(args)
      case HostOperation.Install:
        return this.#limited() ?? this.#caller.install(this.#text(args[1], MAX_NAME_BYTES))
      case HostOperation.Native:
        // As cheap as a line of code, and within the time of the call: there is nothing to limit.
        return this.#nativeCalls.now(args)
      case HostOperation.NativeLater:
        return this.#limited() ?? this.#nativeCalls.later(args)
      case HostOperation.Suspend:
        return this.#limited() ?? this.#suspend(args)
      case HostOperation.TooDeep:
        return HostAnswer.TooDeep
      default:
        return HostAnswer.Malformed
    }
  }

  get #nativeCalls(): NativeCalls {
    this.#native ??= this.#caller.openNative()
    return this.#native
  }

  #limited(): number | undefined {
    this.#limitedCalls++
    return this.#limitedCalls > this.#request.limits.maxHostCalls ? HostAnswer.Limit : undefined
  }

  #text(ptr: GuestPtr | undefined, maxBytes: number): string | undefined {
    return ptr === undefined ? undefined : this.#instance.readString(ptr, maxBytes)
  }

  #log(args: readonly GuestPtr[]): number {
    const room = this.#logRoom
    const hasFields = args[3] !== undefined && this.#instance.isString(args[3])
    const fields = hasFields ? this.#text(args[3], room) : undefined
    return this.#addLine(args[1], this.#text(args[2], room), hasFields ? { json: fields } : {})
  }

  #logDescribed(args: readonly GuestPtr[]): number {
    const message = this.#text(args[2], this.#logRoom)
    return this.#shown(args[3], (description) =>
      this.#addLine(args[1], message, { json: fieldsJson(description, this.#redact) }),
    )
  }

  #print(args: readonly GuestPtr[]): number {
    const indent = this.#instance.readNumber(args[3] ?? 0)
    const kind = this.#text(args[4], 16)
    return this.#shown(args[2], (description) =>
      this.#addLine(args[1], printedText(description, { indent, kind }, this.#redact), {}),
    )
  }

  get #redact(): Redact {
    this.#redactor ??= redactor(secretsOf(this.#request))
    return this.#redactor
  }

  /** Shows what a guest described, which says more than what is shown of it; what is no description is refused. */
  #shown(ptr: GuestPtr | undefined, show: (description: string) => number): number {
    if (this.#logsDropped) return HostAnswer.Limit
    const description = this.#text(ptr, this.#request.limits.maxLogBytes * DESCRIPTION_FACTOR)
    if (description === undefined) return this.#dropLogs()
    this.#descriptions ??= new JsonMeter()
    const verdict = this.#descriptions.add(description)
    if (verdict === 'deep') return HostAnswer.TooDeep
    if (verdict === 'large') return this.#dropLogs()
    try {
      return show(description)
    } catch {
      return HostAnswer.Malformed
    }
  }

  get #logRoom(): number {
    return this.#request.limits.maxLogBytes - this.#logBytes
  }

  /** @param fields without `json` where it did not fit */
  #addLine(
    levelPtr: GuestPtr | undefined,
    message: string | undefined,
    fields: { json?: string | undefined },
  ): number {
    const { maxLogBytes } = this.#request.limits
    if (this.#logsDropped) return HostAnswer.Limit
    const room = this.#logRoom
    const level = LOG_LEVELS.find((name) => name === this.#text(levelPtr, 16))
    if (level === undefined) return HostAnswer.Malformed
    const fieldsJson = fields.json
    const verdict = fieldsJson === undefined ? 'ok' : this.#meter.add(fieldsJson)
    if (verdict === 'deep') return HostAnswer.TooDeep
    // A line costs its end too: lines without a text must not be free.
    const bytes = Buffer.byteLength(message ?? '') + Buffer.byteLength(fieldsJson ?? '') + 1
    const isLost = message === undefined || ('json' in fields && fieldsJson === undefined)
    const isFull = bytes > room || this.logs.length >= maxLogLines(maxLogBytes)
    if (isLost || isFull || verdict === 'large') return this.#dropLogs()
    this.#logBytes += bytes
    this.#addLog({ level, message, time: Date.now(), fieldsJson })
    return HostAnswer.Ok
  }

  #dropLogs(): number {
    this.#logsDropped = true
    this.#addLog(logLimitNotice(this.#request.limits.maxLogBytes))
    return HostAnswer.Limit
  }

  #measure(json: string): number | undefined {
    const verdict = this.#meter.add(json)
    return verdict === 'ok' ? undefined : ANSWERS[verdict]
  }

  #addLog(log: RawLog): void {
    this.#logs ??= []
    this.#logs.push(log)
  }

  #emit(args: readonly GuestPtr[]): number {
    const room = this.#request.limits.maxResultBytes - this.#eventBytes
    const type = this.#text(args[1], MAX_NAME_BYTES)
    if (type === undefined || !isEventType(type)) return HostAnswer.Malformed
    if (!isGranted(this.#request.capabilities, `events:emit:${type}`)) return HostAnswer.Denied
    const dataJson = this.#text(args[2], room)
    const attributesJson = this.#text(args[3], MAX_ATTRIBUTES_BYTES)
    if (dataJson === undefined || attributesJson === undefined) return HostAnswer.Limit
    const attributesBytes = attributesJson === 'null' ? 0 : Buffer.byteLength(attributesJson)
    const bytes = Buffer.byteLength(type) + Buffer.byteLength(dataJson) + attributesBytes
    if (bytes > room) return HostAnswer.Limit
    const refusal = this.#measure(dataJson) ?? this.#measure(attributesJson)
    if (refusal !== undefined) return refusal
    if (attributesJson !== 'null' && !areAttributes(attributesJson)) return HostAnswer.Malformed
    this.#eventBytes += bytes
    this.#events ??= []
    this.#events.push({ type, dataJson, attributesJson })
    return HostAnswer.Ok
  }

  #callHostFunction(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    const name = this.#text(args[2], MAX_NAME_BYTES)
    const method = this.#text(args[3], MAX_NAME_BYTES)
    if (!Number.isSafeInteger(id) || name === undefined || method === undefined) {
      return HostAnswer.Malformed
    }
    const capability = capabilityFor(name, method)
    if (capability !== undefined && !isGranted(this.#request.capabilities, capability)) {
      return HostAnswer.Denied
    }
    const encodedArguments = this.#text(args[4], this.#request.limits.maxResultBytes)
    if (encodedArguments === undefined) return HostAnswer.Limit
    const { verdict, steps } = measureEncoded(encodedArguments)
    if (verdict !== 'ok') return ANSWERS[verdict]
    const bytes = Buffer.byteLength(encodedArguments)
    return this.#ask(id, bytes, { kind: 'host-function', name, method, encodedArguments, steps })
  }

  #fetch(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    if (!Number.isSafeInteger(id)) return HostAnswer.Malformed
    if (++this.#fetches > this.#request.limits.maxFetches) {
      return this.#ask(id, 0, { kind: 'fetch', request: undefined, steps: 0 })
    }
    const encodedRequest = this.#text(args[2], this.#maxEncodedBodyBytes)
    if (encodedRequest === undefined) return HostAnswer.Limit
    const { verdict, steps } = measureEncoded(encodedRequest)
    if (verdict !== 'ok') return ANSWERS[verdict]
    const request = decodeRequest(encodedRequest)
    if (request === undefined) return HostAnswer.Malformed
    const bytes = Buffer.byteLength(encodedRequest)
    return this.#askForBody(id, id, bytes, { kind: 'fetch', request, steps })
  }

  #readBody(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    const fetchId = this.#instance.readNumber(args[2] ?? 0)
    const all = this.#instance.readNumber(args[3] ?? 0) === 1
    if (!Number.isSafeInteger(id) || !Number.isSafeInteger(fetchId)) return HostAnswer.Malformed
    return this.#askForBody(id, fetchId, 0, { kind: 'body', fetchId, all, steps: 0 })
  }

  #writeBody(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    const fetchId = this.#instance.readNumber(args[2] ?? 0)
    const ended = this.#instance.readNumber(args[4] ?? 0) === 1
    if (!Number.isSafeInteger(id) || !Number.isSafeInteger(fetchId)) return HostAnswer.Malformed
    const encoded = this.#text(args[3], this.#maxEncodedBodyBytes)
    if (encoded === undefined) return HostAnswer.Limit
    const { verdict, steps } = measureEncoded(encoded)
    if (verdict !== 'ok') return ANSWERS[verdict]
    const bytes = decodePart(encoded)
    if (bytes === undefined) return HostAnswer.Malformed
    return this.#ask(id, bytes.length, { kind: 'body-part', fetchId, bytes, ended, steps })
  }

  /** Base64 makes four characters of three bytes. */
  get #maxEncodedBodyBytes(): number {
    return (this.#request.limits.maxRequestBytes / 3) * 4 + MAX_REQUEST_HEAD_BYTES
  }

  #askForBody(id: number, fetchId: number, bytes: number, question: Question): number {
    this.#bodyReads ??= new Map()
    this.#bodyReads.set(id, fetchId)
    return this.#ask(id, bytes, question)
  }

  /** Something of the answer to a fetch has come. */
  #noteBody(fetchId: number, isOpen: boolean): void {
    this.#openBodies ??= new Set()
    if (isOpen) this.#openBodies.add(fetchId)
    else this.#openBodies.delete(fetchId)
  }

  #ask(id: number, bytes: number, question: Question): number {
    // What waits on the host is memory that the guest takes, wherever it is.
    if (this.#pendingBytes + bytes > this.#request.limits.memoryLimitBytes) return HostAnswer.Limit
    this.#pendingBytes += bytes
    this.#pending ??= new Map()
    this.#pending.set(id, bytes)
    this.#caller.ask(id, question)
    return HostAnswer.Ok
  }

  #withdraw(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    if (!Number.isSafeInteger(id)) return HostAnswer.Malformed
    this.#openBodies?.delete(id)
    this.#caller.withdraw(id)
    return HostAnswer.Ok
  }

  #setTimer(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    const delayMs = Math.min(this.#instance.readNumber(args[2] ?? 0), MAX_DELAY_MS)
    const repeats = this.#instance.readNumber(args[3] ?? 0) === 1
    if (!Number.isSafeInteger(id) || Number.isNaN(delayMs)) return HostAnswer.Malformed
    this.#startTimer(id, delayMs, repeats ? delayMs : undefined)
    return HostAnswer.Ok
  }

  #startTimer(id: number, delayMs: number, everyMs: number | undefined): void {
    const timer =
      everyMs !== undefined
        ? setInterval(() => this.#caller.fire(id), everyMs)
        : setTimeout(() => this.#fireOnce(id), delayMs)
    this.#timers ??= new Map()
    this.#timers.set(id, { timer, dueAt: performance.now() + delayMs, everyMs })
  }

  #suspend(args: readonly GuestPtr[]): number {
    if (!this.#request.canSuspend) return HostAnswer.NotSuspendable
    const [id, kindAt, dueAt] = [1, 2, 5].map((at) => this.#instance.readNumber(args[at] ?? 0))
    const kind = WAIT_KINDS[kindAt!]
    const nth = this.#instance.readNumber(args[6] ?? 0)
    const name = this.#text(args[3], MAX_NAME_BYTES)
    const dataJson = this.#text(args[4], this.#request.limits.maxResultBytes - this.#eventBytes)
    if (!Number.isSafeInteger(id) || id! < 0 || Number.isNaN(dueAt) || kind === undefined) {
      return HostAnswer.Malformed
    }
    if (name === undefined || dataJson === undefined) return HostAnswer.Limit
    const refusal = dataJson === '' ? undefined : this.#measure(dataJson)
    if (refusal !== undefined) return refusal
    if (kind === 'event') {
      if (!isEventPattern(name) || (dataJson !== '' && !isEventMatch(dataJson))) {
        return HostAnswer.Malformed
      }
      if (!isGranted(this.#request.capabilities, `events:wait:${name}`)) return HostAnswer.Denied
    }
    if (this.waits.size >= MAX_WAITS) return HostAnswer.Limit
    // What the host keeps of a call is bounded as a whole.
    this.#eventBytes += Buffer.byteLength(name) + Buffer.byteLength(dataJson)
    this.#waits ??= new Map()
    this.#waits.set(id!, {
      id: id!,
      kind,
      name,
      dataJson,
      dueAt: dueAt === Infinity ? undefined : dueAt,
      ...(kind === 'event' && { since: Date.now() }),
      ...(kind === 'suspend' && { nth: Number.isSafeInteger(nth) ? nth : 0 }),
    })
    return HostAnswer.Ok
  }

  #fireOnce(id: number): void {
    this.#timers?.delete(id)
    this.#caller.fire(id)
  }

  #clearTimer(args: readonly GuestPtr[]): number {
    const id = this.#instance.readNumber(args[1] ?? 0)
    clearTimeout(this.#timers?.get(id)?.timer)
    this.#timers?.delete(id)
    return HostAnswer.Ok
  }
}

/** What a host function needs; nothing where it came with the call: who gave it granted it. */
function capabilityFor(name: string, method: string): string | undefined {
  if (name !== '') return `ext:${name}`
  return method.startsWith(INVOCATION_PREFIX) ? method : undefined
}

function secretsOf({ contextJson }: CallRequest): Record<string, string> | undefined {
  if (contextJson === undefined) return undefined
  return (JSON.parse(contextJson) as { secrets?: Record<string, string> }).secrets
}
