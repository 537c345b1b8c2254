import type { Answer, CallRequest, Question } from '../call/call.js'
import type { GuestServices } from '../dispatcher.js'
import { HostAnswer } from '../guest/protocol.js'
import type { Fetcher } from '../net/fetcher.js'
import { describeThrown } from '../values/describe-thrown.js'
import { hostCodec } from '../values/host-codec.js'
import { guestError } from './guest-error.js'
import type { HostFunctions } from './host-functions.js'
import type { TurnBudget } from './turn-budget.js'

/**
 * Wraps a call of the guest to the host, to trace or time it; must call `run` once and give what it gives.
 *
 * @param name `fetch`, or the host function such as `stock.left`
 */
export type AroundHostCall = <T>(name: string, run: () => Promise<T>) => Promise<T>

/** The calls that are under way, and what their callers want around each host call. */
export type OpenCalls = ReadonlyMap<number, AroundHostCall | undefined>

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
  async function answer(
    call: CallRequest,
    id: number,
    question: Question,
  ): Promise<Answer | undefined> {
    if (question.kind === 'fetch') {
      try {
        return { response: await fetcher.fetch(call, id, question.request) }
      } catch (error) {
        return failedAnswer(error, refusalOf(error))
      }
    }
    const { name, method, encodedArguments } = question
    let value: unknown
    try {
      value = await hostFunctions.call(name, method, encodedArguments)
    } catch (error) {
      return failedAnswer(error)
    }
    // An answer is taken to be as large as its question: it has a turn of its own.
    const turn = turns.take(call.id, question.steps, () => openCalls.has(call.id))
    if (turn) await turn
    if (!openCalls.has(call.id)) return undefined
    try {
      const encoded = hostCodec.encode(value, `the result of ${name}.${method}`)
      return { failed: false, encoded }
    } catch (error) {
      return failedAnswer(error, refusalOf(error))
    }
  }

  return {
    async answer(call, id, question) {
      const isWanted = () => openCalls.has(call.id)
      const turn = turns.take(call.id, question.steps, isWanted)
      if (turn) await turn
      if (!isWanted()) return undefined
      const around = openCalls.get(call.id)
      if (!around) return answer(call, id, question)
      const name = question.kind === 'fetch' ? 'fetch' : `${question.name}.${question.method}`
      return answerWithin(around, name, () => answer(call, id, question))
    },
    withdraw: (callId, id) => fetcher.abort(callId, id),
  }
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
