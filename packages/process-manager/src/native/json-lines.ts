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
  let rest = ''
  const take = (chunk: Buffer) => {
    let values: unknown[]
    try {
      const lines = (rest + decoder.write(chunk)).split('\n')
      rest = lines.pop() ?? ''
      if ([rest, ...lines].some(({ length }) => length > maxCharacters))
        throw new Error('the line is too long')
      values = lines.map((line) => JSON.parse(line))
    } catch (error) {
      readable.off('data', take)
      return failed(error as Error)
    }
    for (const value of values) received(value)
  }
  readable.on('data', take)
}
