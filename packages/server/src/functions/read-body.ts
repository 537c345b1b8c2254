import { HttpError } from '../answers/http-error.js'

/**
 * The bytes of a body; undefined where there is none.
 *
 * @throws HttpError 413 once it is larger than the limit
 */
export async function readBody(body: unknown, limitBytes: number): Promise<Buffer | undefined> {
  if (body === undefined || body === null) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > limitBytes) {
      throw new HttpError(413, 'BODY_TOO_LARGE', `The body is larger than ${limitBytes} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
