import { inspect } from 'node-inspect-extracted'
import { assertString, invalidType, invalidValue } from '../node-error.js'

const colors = (inspect as unknown as { colors: Record<string, readonly [number, number]> }).colors

interface StyleOptions {
  /** Whether a stream that is no terminal gets the text without escapes; a handler has no terminal. @default true */
  validateStream?: boolean
}

/** A text with the escapes of ANSI around it. */
export function styleText(
  format: string | readonly string[],
  text: string,
  { validateStream = true }: StyleOptions = {},
): string {
  assertString(text, 'text')
  let styled = text
  const names = Array.isArray(format) ? format : [format]
  for (const name of [...names].reverse()) {
    if (name === 'none') continue
    if (typeof name !== 'string') throw invalidType('format', 'of type string', name)
    const codes = colors[name]
    if (!codes)
      throw invalidValue(
        'format',
        name,
        `must be one of: ${Object.keys(colors)
          .map((key) => `'${key}'`)
          .join(', ')}`,
      )
    styled = `\u001b[${codes[0]}m${styled}\u001b[${codes[1]}m`
  }
  return validateStream ? text : styled
}
