import type { PartName } from './part.js'
import { PARTS } from './parts.js'

const PART_OF_WORD = new Map<string, PartName>()
for (const name of Object.keys(PARTS) as PartName[]) {
  const { globals, words = [] } = PARTS[name]
  for (const word of [...globals, ...words]) PART_OF_WORD.set(word, name)
}

const WORDS = [...PART_OF_WORD.keys()]

/** A word of the code: as a name in the bytecode, which is its length and its letters, or as text of its own. */
const MENTION = new RegExp(
  [
    ...WORDS.map((word) => {
      const length = String.raw`\x${(word.length * 2).toString(16).padStart(2, '0')}`
      return `(?<=${length})${word}`
    }),
    String.raw`(?<![\w$])(?:${WORDS.join('|')})(?![\w$])`,
  ].join('|'),
  'g',
)

/**
 * The parts of the platform that a handler's code names: by a global, as a name, as a property or as a word in a string.
 * A name that the code only puts together while it runs is not seen.
 */
export function partsOf(bytecode: Uint8Array): ReadonlySet<PartName> {
  const text = Buffer.from(bytecode.buffer, bytecode.byteOffset, bytecode.byteLength)
  const parts = new Set<PartName>()
  for (const [word] of text.toString('latin1').matchAll(MENTION)) parts.add(PART_OF_WORD.get(word)!)
  return parts
}
