import type { GuestServices } from './dispatcher.js'
import type { Extensions } from './extensions.js'
import { HostAnswer } from './guest/protocol.js'
import { guestError } from './guest-error.js'
import type { Fetcher } from './net/fetcher.js'
import type { Answer, CallRequest } from './sandbox/call.js'
import { hostCodec } from './values/host-codec.js'

/** What guests may ask of the host's thread: the embedder's extensions, and fetches. */
export function guestServices(extensions: Extensions, fetcher: Fetcher): GuestServices {
  return {
    answer(call, id, question) {
      if (question.kind === 'fetch') return fetchFor(fetcher, call, id, question.encodedRequest)
      const { extension, method, encodedArguments } = question
      return extensions.call(extension, method, encodedArguments)
    },
    withdraw: (callId, id) => fetcher.abort(callId, id),
  }
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
