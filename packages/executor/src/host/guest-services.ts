import { describeThrown } from '@nexus/diagnostics'
import type { Answer, CallRequest, Question } from '../call/call.js'
import type { GuestServices } from '../dispatcher.js'
import { HostAnswer, INVOCATION_PREFIX, LINK_NAME, RESPONSE_NAME } from '../guest/protocol.js'
import type { ResponsePart } from '../guest/web/fetch/served-request.js'
import type { Fetcher } from '../net/fetcher.js'
import { hostCodec } from '../values/host-codec.js'
import { guestError } from './guest-error.js'
import { callMethod, type HostFunctions, type HostMethod } from './host-functions.js'
import { responsePart } from './response-part.js'
import type { TurnBudget } from './turn-budget.js'
import { costOfQuestion } from './turn-cost.js'

/**
 * Wraps a call of the guest to the host, to trace or time it; must call `run` once and give what it gives.
 *
 * @param name `fetch`, or the host function such as `stock.left`
 */
export type AroundHostCall = <T>(name: string, run: () => Promise<T>) => Promise<T>

/** Runs a function by name for a handler, and answers what it returned; a rejection is what the handler is told. */
export type InvokeFunction = (name: string, data: unknown) => Promise<unknown>

/** A suspension that a handler wants a link for. */
export interface LinkRequest {
  /** The name that the handler gives to `ctx.suspend`. */
  name: string
  /** Which of the call's suspensions of this name, from 1; see `SuspensionWait.nth`. */
  nth: number
  /** What the link resumes with, as JSON; `''` for undefined. */
  valueJson: string
}

/** Makes a link that resumes a call, and answers its address; a throw is what the handler is told. */
export type LinkFunction = (request: LinkRequest) => string

/** Takes a part of the response that a call gives; a rejection says that nothing more is wanted. */
export type RespondFunction = (part: ResponsePart) => Promise<void>

/** A call that is under way. */
export interface OpenCall {
  /** What answers `ctx.invoke`. */
  invoke?: InvokeFunction | undefined
  /** What answers `ctx.resumeUrl`. */
  link?: LinkFunction | undefined
  /** What takes its response. */
  respond?: RespondFunction | undefined
  /** What its caller wants around each host call. */
  aroundHostCall?: AroundHostCall | undefined
  /** The functions among its globals, by their path. */
  functions?: ReadonlyMap<string, HostMethod> | undefined
}

/** The calls that are under way, by their id. */
export type OpenCalls = ReadonlyMap<number, OpenCall>

/**
 * What guests may ask of the host's thread: the embedder's host functions, and fetches. What a call asked that is over by the
 * time its turn comes is dropped unread.
 */
export function guestServices(
  hostFunctions: HostFunctions,
  fetcher: Fetcher,
  openCalls: OpenCalls,
  turns: TurnBudget,
): GuestServices {
  /** A function that came with the call, as one of its globals. */
  async function callGiven(callId: number, name: string, encodedArguments: string) {
    const call = openCalls.get(callId)
    if (name.startsWith(INVOCATION_PREFIX)) return await invoke(call, name, encodedArguments)
    if (name === RESPONSE_NAME && call?.respond) {
      return await callMethod(respondMethod(call.respond), name, encodedArguments)
    }
    if (name === LINK_NAME) {
      return await callMethod(linkMethod(call?.link), name, encodedArguments)
    }
    const method = call?.functions?.get(name)
    if (!method) throw new TypeError(`This call was given no function of the name ${name}`)
    return await callMethod(method, name, encodedArguments)
  }

  function answerOf(call: CallRequest, id: number, question: FetchQuestion) {
    if (question.kind === 'fetch') return fetcher.fetch(call, id, question.request)
    const { fetchId } = question
    return question.kind === 'body'
      ? fetcher.read(call, fetchId, question.all)
      : fetcher.write(call, fetchId, question.bytes, question.ended)
  }

  async function answer(
    call: CallRequest,
    id: number,
    question: Question,
  ): Promise<Answer | undefined> {
    if (question.kind !== 'host-function') {
      try {
        return { response: await answerOf(call, id, question) }
      } catch (error) {
        return failedAnswer(error, refusalOf(error))
      }
    }
    const { name, method } = question
    const encodedArguments = textOf(question.encodedArguments)
    let value: unknown
    try {
      value =
        name === ''
          ? await callGiven(call.id, method, encodedArguments)
          : await hostFunctions.call(name, method, encodedArguments)
    } catch (error) {
      return failedAnswer(error)
    }
    // An answer is taken to be as large as its question: it has a turn of its own.
    const turn = turns.take(call.id, costOfQuestion(question), () => openCalls.has(call.id))
    if (turn) await turn
    if (!openCalls.has(call.id)) return undefined
    try {
      const encoded = hostCodec.encode(value, `the result of ${nameOf(question)}`)
      return { failed: false, encoded }
    } catch (error) {
      return failedAnswer(error, refusalOf(error))
    }
  }

  return {
    async answer(call, id, question) {
      const isWanted = () => openCalls.has(call.id)
      const turn = turns.take(call.id, costOfQuestion(question), isWanted)
      if (turn) await turn
      if (!isWanted()) return undefined
      const around = openCalls.get(call.id)?.aroundHostCall
      if (!around || question.kind === 'body' || question.kind === 'body-part') {
        return answer(call, id, question)
      }
      return answerWithin(around, nameOf(question), () => answer(call, id, question))
    },
    withdraw: (callId, id) => fetcher.abort(callId, id),
  }
}

/** A fetch, or something about one that is under way. */
type FetchQuestion = Exclude<Question, { kind: 'host-function' }>

function nameOf(question: Exclude<Question, { kind: 'body' | 'body-part' }>): string {
  if (question.kind === 'fetch') return 'fetch'
  const { name, method } = question
  return name === '' ? method : `${name}.${method}`
}

/** The wrapper sees a failed answer as what it is: an error. */
async function answerWithin(
  around: AroundHostCall,
  name: string,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  let asked: Promise<Answer | undefined> | undefined
  try {
    await around(name, async () => {
      asked = ask()
      const answer = await asked
      if (answer && 'encoded' in answer && answer.failed) throw hostCodec.decode(answer.encoded)
    })
  } catch {
    // Whatever the wrapper does, the guest gets its answer.
  }
  return asked ?? ask()
}

/** A guest may send anything: what is no part of a response is refused. */
function respondMethod(respond: RespondFunction): HostMethod {
  return { input: undefined, run: (part) => respond(responsePart(part)) }
}

/** A guest may ask for anything: it gets a link to a call of its own, or a throw. */
function linkMethod(link: LinkFunction | undefined): HostMethod {
  const run = (name: unknown, nth: unknown, valueJson: unknown) => {
    if (!link) throw new TypeError('ctx.resumeUrl: this program makes no links')
    return link({ name: String(name), nth: Number(nth), valueJson: String(valueJson) })
  }
  return { input: undefined, run }
}

async function invoke(
  call: OpenCall | undefined,
  name: string,
  encodedArguments: string,
): Promise<unknown> {
  const run = (data: unknown) => {
    if (call?.invoke) return call.invoke(name.slice(INVOCATION_PREFIX.length), data)
    throw new TypeError('ctx.invoke: there are no functions that this handler could invoke')
  }
  return await callMethod({ input: undefined, run }, name, encodedArguments)
}

function textOf(encoded: string | Uint8Array): string {
  return typeof encoded === 'string' ? encoded : new TextDecoder().decode(encoded)
}

/** What was thrown, as an answer to the guest. */
function failedAnswer(thrown: unknown, refusal?: number): Answer {
  return { failed: true, encoded: hostCodec.encode(guestError(thrown), 'error'), refusal }
}

/** Whether the host itself refused. */
function refusalOf(thrown: unknown): number | undefined {
  const { code } = describeThrown(thrown)
  if (code === 'PERMISSION_DENIED') return HostAnswer.Denied
  return code === 'RESOURCE_LIMIT' ? HostAnswer.Limit : undefined
}
