import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Longer than any definition or listing; a peer that sends more is not one of ours. */
const DEFAULT_MAX_CHARACTERS = 32 * 2 ** 20

/** Calls back with every line of JSON; `failed` once for what is none, or too long. */
export function readJsonLines(
  readable: Readable,
  received: (value: unknown) => void,
  failed: (error: Error) => void,
  maxCharacters = DEFAULT_MAX_CHARACTERS,
): void {
  const decoder = new StringDecoder()
  // The line under way, in pieces: joined for every chunk, a long line would cost the square of its length.
  let pieces: string[] = []
  let length = 0
  const take = (chunk: Buffer) => {
    const values: unknown[] = []
    try {
      const [first = '', ...others] = decoder.write(chunk).split('\n')
      for (const text of [first, ...others.flatMap((line) => [null, line])]) {
        if (text === null) {
          values.push(JSON.parse(pieces.join('')))
          pieces = []
          length = 0
          continue
        }
        length += text.length
        if (length > maxCharacters) throw new Error('the line is too long')
        pieces.push(text)
      }
    } catch (error) {
      readable.off('data', take)
      return failed(error as Error)
    }
    for (const value of values) received(value)
  }
  readable.on('data', take)
}
