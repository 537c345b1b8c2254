import type { FastifyReply } from 'fastify'
import { HttpError } from './http-error.js'

/** Aborts when the client went away, or its answer is sent: nothing is left to wait for. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  // A refusal that reaches no one, and so is no fault of the server.
  raw.once('close', () => gone.abort(new HttpError(499, 'CLIENT_GONE', 'The client went away.')))
  return gone.signal
}
