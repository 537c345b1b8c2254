import type { CallFailure, CallRequest, RawEvent } from '../call/call.js'
import { isGranted } from '../call/capabilities.js'
import { areAttributes, isEventType } from '../call/event-attributes.js'
import {
  resultTooLarge,
  timeoutFailure,
  tooDeepFailure,
  tooManyValuesFailure,
} from '../call/guest-failure.js'
import { HostAnswer } from '../guest/protocol.js'
import { hostCodec } from '../values/host-codec.js'
import { JsonMeter } from '../values/json-meter.js'
import { ByteCollector } from './byte-collector.js'
import { CallLog } from './call-log.js'
import { CallEnded, checkResult } from './command-end.js'

const MAX_NAME_BYTES = 1024
const MAX_ATTRIBUTES_BYTES = 16 * 1024

/** The parts of `CallRequest.contextJson` that a command gets to see. */
interface CallContext {
  functionName?: string
  attempt?: number
  env?: Readonly<Record<string, string>>
  secrets?: Readonly<Record<string, string>>
}

/** What a command is given and what it hands out during one call: its streams, its events, its limits. */
export class CommandCall {
  readonly log: CallLog
  readonly events: RawEvent[] = []
  /** `NAME=value` each, with a zero at its end. */
  readonly environ: readonly Buffer[]
  readonly deadlineAt: number
  /** Emits, allowed or not. */
  hostCalls = 0
  /** Why an emit was refused, the last time it was. */
  refusal: CallFailure | undefined
  readonly #stdin: Buffer
  #stdinAt = 0
  readonly #stdout = new ByteCollector()
  #eventBytes = 0
  readonly #meter = new JsonMeter()

  constructor(
    readonly request: CallRequest,
    /** The name of the command first; each with a zero at its end. */
    readonly args: readonly Buffer[],
    readonly startedAt: number,
  ) {
    const { limits, eventJson = 'null', contextJson } = request
    this.deadlineAt = startedAt + limits.timeoutMs
    this.log = new CallLog(limits.maxLogBytes)
    this.environ = contextJson === undefined ? [] : environOf(JSON.parse(contextJson))
    this.#stdin = Buffer.from(eventJson)
  }

  /** What parsing the events and the result costs the host's thread. */
  get steps(): number {
    return this.#meter.steps
  }

  /** @throws CallEnded when the time limit has passed */
  checkDeadline(): void {
    if (performance.now() > this.deadlineAt) {
      throw new CallEnded(timeoutFailure(this.request.limits.timeoutMs))
    }
  }

  /** The next bytes of the event; none at its end. */
  readStdin(maxBytes: number): Buffer {
    const bytes = this.#stdin.subarray(this.#stdinAt, this.#stdinAt + maxBytes)
    this.#stdinAt += bytes.length
    return bytes
  }

  /** @throws CallEnded when the result is over its limit */
  writeStdout(chunk: Buffer): void {
    const { maxResultBytes } = this.request.limits
    if (this.#stdout.length + chunk.length > maxResultBytes) {
      throw new CallEnded(resultTooLarge(maxResultBytes))
    }
    this.#stdout.add(chunk)
  }

  /** Takes an event; the texts are the guest's, each checked as if an enemy had chosen it. */
  emit(type: Buffer, data: Buffer, attributes: Buffer): number {
    const { maxHostCalls, maxResultBytes } = this.request.limits
    if (++this.hostCalls > maxHostCalls) {
      return this.#overLimit(`More than ${maxHostCalls} events were emitted`)
    }
    if (type.length === 0 || type.length > MAX_NAME_BYTES) return HostAnswer.Malformed
    const name = type.toString('utf8')
    const token = `events:emit:${name}`
    if (!isGranted(this.request.capabilities, token)) {
      const message = `Emitting ${name} is not allowed; grant it with the capability ${token}`
      this.refusal = {
        code: 'PERMISSION_DENIED',
        report: { name: 'PermissionError', message },
      }
      return HostAnswer.Denied
    }
    const bytes = type.length + data.length + attributes.length
    if (this.#eventBytes + bytes > maxResultBytes) {
      return this.#overLimit(`The events are larger than their limit of ${maxResultBytes} bytes`)
    }
    if (attributes.length > MAX_ATTRIBUTES_BYTES) {
      return this.#overLimit(`Attributes are larger than ${MAX_ATTRIBUTES_BYTES} bytes`)
    }
    const dataJson = jsonOf(data)
    const attributesJson = attributes.length === 0 ? 'null' : jsonOf(attributes)
    if (dataJson === undefined || attributesJson === undefined) return HostAnswer.Malformed
    for (const [name, json] of Object.entries({ data: dataJson, attributes: attributesJson })) {
      const failure = this.#measure(name, json)
      if (failure) {
        this.refusal = failure
        return HostAnswer.Limit
      }
    }
    if (!isEventType(name)) return HostAnswer.Malformed
    if (attributes.length > 0 && !areAttributes(attributesJson)) return HostAnswer.Malformed
    this.#eventBytes += bytes
    this.events.push({ type: name, dataJson, attributesJson })
    return HostAnswer.Ok
  }

  /** What the command wrote to stdout, or why that is no result. */
  takeResult(): { json: string } | { failure: CallFailure } {
    const json = this.#stdout.takeText().trim()
    const failure = json === '' ? undefined : (this.#measure('result', json) ?? checkResult(json))
    return failure ? { failure } : { json }
  }

  /** Counts a text before anything parses it. */
  #measure(name: string, json: string): CallFailure | undefined {
    const verdict = this.#meter.add(json)
    if (verdict === 'deep') return tooDeepFailure(deepPlaceOf(json, name))
    if (verdict === 'large') return tooManyValuesFailure('The result and the events')
    return undefined
  }

  #overLimit(message: string): number {
    const report = { name: 'RangeError', message }
    this.refusal = { code: 'RESOURCE_LIMIT', report }
    return HostAnswer.Limit
  }
}

function environOf({ functionName, attempt, env, secrets }: CallContext): Buffer[] {
  const entries = [
    ...Object.entries({ ...env, ...secrets }).map(([name, value]) => `${name}=${value}`),
    ...(functionName === undefined ? [] : [`NEXUS_FUNCTION=${functionName}`]),
    ...(attempt === undefined ? [] : [`NEXUS_ATTEMPT=${attempt}`]),
  ]
  return entries.map((entry) => Buffer.from(`${entry}\0`))
}

function deepPlaceOf(json: string, name: string): string {
  try {
    return hostCodec.deepPlace(JSON.parse(json), name) ?? name
  } catch {
    // It is not JSON either.
    return name
  }
}

function jsonOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8').trim()
  try {
    JSON.parse(text)
    return text
  } catch {
    return undefined
  }
}
