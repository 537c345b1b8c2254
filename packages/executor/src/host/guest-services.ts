import type { Answer, CallRequest, Question } from '../call/call.js'
import type { GuestServices } from '../dispatcher.js'
import { HostAnswer } from '../guest/protocol.js'
import type { Fetcher } from '../net/fetcher.js'
import { hostCodec } from '../values/host-codec.js'
import type { Extensions } from './extensions.js'
import { guestError } from './guest-error.js'

/**
 * Wraps a call of the guest to the host, to trace or time it; must call `run` once and give what it gives.
 *
 * @param name `fetch`, or extension and method such as `stock.left`
 */
export type AroundHostCall = <T>(name: string, run: () => Promise<T>) => Promise<T>

/**
 * What guests may ask of the host's thread: the embedder's extensions, and fetches.
 *
 * @param aroundCalls by the id of the call, what its caller wants around each
 */
export function guestServices(
  extensions: Extensions,
  fetcher: Fetcher,
  aroundCalls: ReadonlyMap<number, AroundHostCall>,
): GuestServices {
  function answer(call: CallRequest, id: number, question: Question): Promise<Answer> {
    if (question.kind === 'fetch') return fetchFor(fetcher, call, id, question.encodedRequest)
    const { extension, method, encodedArguments } = question
    return extensions.call(extension, method, encodedArguments)
  }

  return {
    answer(call, id, question) {
      const around = aroundCalls.get(call.id)
      if (!around) return answer(call, id, question)
      const name = question.kind === 'fetch' ? 'fetch' : `${question.extension}.${question.method}`
      return answerWithin(around, name, () => answer(call, id, question))
    },
    withdraw: (callId, id) => fetcher.abort(callId, id),
  }
}

/** Whoever is around sees a failed answer as what it is: an error. */
async function answerWithin(
  around: AroundHostCall,
  name: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer | undefined
  try {
    await around(name, async () => {
      answer = await ask()
      if (answer.failed) throw hostCodec.decode(answer.encoded)
    })
  } catch {
    // Whatever the wrapper does, the guest gets its answer.
  }
  return answer ?? ask()
}

async function fetchFor(
  fetcher: Fetcher,
  call: CallRequest,
  id: number,
  encodedRequest: string,
): Promise<Answer> {
  try {
    const response = await fetcher.fetch(call, id, hostCodec.decode(encodedRequest))
    return { failed: false, encoded: hostCodec.encode(response, 'response') }
  } catch (error) {
    const { code } = Object(error) as { code?: unknown }
    const refusal =
      code === 'PERMISSION_DENIED'
        ? HostAnswer.Denied
        : code === 'RESOURCE_LIMIT'
          ? HostAnswer.Limit
          : undefined
    return { failed: true, encoded: hostCodec.encode(guestError(error), 'error'), refusal }
  }
}
