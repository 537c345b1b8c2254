/** Control characters, halves of surrogate pairs, and code points that are no characters. */
const UNWANTED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]|[\ud83f\ud87f\ud8bf\ud8ff\ud93f\ud97f\ud9bf\ud9ff\uda3f\uda7f\udabf\udaff\udb3f\udb7f\udbbf\udbff][\udffe\udfff]/
const PRINTABLE_ASCII = /^[ -~]*$/

/**
 * What keeps a text from being the value of a CloudEvents attribute, such as `a control character (U+0000) at 3`.
 * Such texts would not come back from UTF-8 as they were, or two of them would become one.
 */
export function unwantedCharacter(text: string): string | undefined {
  if (PRINTABLE_ASCII.test(text)) return undefined
  const found = UNWANTED.exec(text)
  if (found === null) return undefined
  const code = text.codePointAt(found.index)!
  const kind = code >= 0xd800 && code <= 0xdfff ? 'half of a surrogate pair' : kindOf(code)
  return `${kind} (U+${code.toString(16).toUpperCase().padStart(4, '0')}) at ${found.index}`
}

function kindOf(code: number): string {
  return code < 0xa0 ? 'a control character' : 'a code point that is no character'
}
