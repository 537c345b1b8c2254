import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { FaultReporter } from './fault-reporter.js'

/**
 * A body that is made while it is sent. A failure in its middle can only cut the connection: the status is sent already.
 * `onFault` gets it; earlier failures are answered and reported as those of any other route.
 */
export function streamText(
  reply: FastifyReply,
  parts: AsyncIterable<string>,
  report: FaultReporter,
): Readable {
  async function* watched(): AsyncGenerator<string, void, void> {
    try {
      yield* parts
    } catch (thrown) {
      if (reply.raw.headersSent) report(thrown)
      throw thrown
    }
  }
  return Readable.from(watched(), { objectMode: false })
}
