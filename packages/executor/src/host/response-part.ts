import { z } from 'zod'
import type { ResponsePart } from '../guest/web/fetch/served-request.js'

const schema = z.strictObject({
  head: z
    .strictObject({
      status: z.int().min(200).max(599),
      statusText: z.string().max(256),
      headers: z
        .array(
          z.tuple([
            z
              .string()
              .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/, 'expected the name of a header'),
            // Bytes, none of which ends the line or the text.
            z
              .string()
              .max(16_384)
              .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected the value of a header'),
          ]),
        )
        .max(256),
    })
    .optional(),
  bytes: z.instanceof(Uint8Array).optional(),
})

/**
 * What a call sends as part of its response, checked: the guest's own classes do not guard what a hostile one sends.
 *
 * @throws TypeError saying what is wrong
 */
export function responsePart(given: unknown): ResponsePart {
  const { success, data, error } = schema.safeParse(given)
  if (success) return data as ResponsePart
  const { path, message } = error.issues[0]!
  throw new TypeError(`The response cannot be sent: ${[...path, message].join(' ')}`)
}
