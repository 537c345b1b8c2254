import type { PartName } from './part.js'
import { PARTS } from './parts.js'

interface Word {
  readonly text: string
  readonly part: PartName
}

const NONE: readonly Word[] = []

/** The words that name a part, by their first two bytes: a look at each place of the code finds the few that may start there. */
const WORDS: (Word[] | undefined)[] = new Array(0x10000)
for (const part of Object.keys(PARTS) as PartName[]) {
  const { globals, words = [] } = PARTS[part]
  for (const text of [...globals, ...words]) {
    const start = (text.charCodeAt(0) << 8) | text.charCodeAt(1)
    WORDS[start] = [...(WORDS[start] ?? []), { text, part }]
  }
}

/**
 * The parts of the platform that a handler's code names: by a global, as a name, as a property or as a word in a string.
 * A name that the code only puts together while it runs is not seen.
 */
export function partsOf(bytecode: Uint8Array): ReadonlySet<PartName> {
  const code = Buffer.from(bytecode.buffer, bytecode.byteOffset, bytecode.byteLength)
  const parts = new Set<PartName>()
  let start = 0
  for (let end = 0; end < code.length; end++) {
    start = ((start & 0xff) << 8) | code[end]!
    for (const { text, part } of WORDS[start] ?? NONE) {
      if (!parts.has(part) && isMention(code, end - 1, text)) parts.add(part)
    }
  }
  return parts
}

/** As a name in the bytecode, which is twice its length and its letters, or as text of its own. */
function isMention(code: Buffer, at: number, word: string): boolean {
  const end = at + word.length
  if (code.toString('latin1', at, end) !== word) return false
  return code[at - 1] === word.length * 2 || !(isOfWord(code[at - 1]) || isOfWord(code[end]))
}

/** A letter, a digit, `_` or `$`. */
function isOfWord(byte: number | undefined): boolean {
  return byte !== undefined && /[\w$]/.test(String.fromCharCode(byte))
}
