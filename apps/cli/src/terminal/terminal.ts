import type { WriteStream } from 'node:tty'

type Stream = NodeJS.WriteStream & Partial<Pick<WriteStream, 'hasColors' | 'columns'>>

/** Colour and rules for one output stream; without a terminal behind it, plain text. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
  /** A line across the terminal, or nothing. */
  rule(): string
  /** Columns of the terminal; 80 where there is none. */
  width: number
}

/** The style that `stream` can show; `hasColors` honours NO_COLOR, FORCE_COLOR and TERM=dumb. */
export function styleOf(stream: Stream): Style {
  const colored = stream.isTTY === true && stream.hasColors?.() === true
  const paint = (open: number, close: number) => (text: string) =>
    colored ? `\u001b[${open}m${text}\u001b[${close}m` : text
  const dim = paint(2, 22)
  return {
    bold: paint(1, 22),
    dim,
    good: paint(32, 39),
    bad: paint(31, 39),
    warn: paint(33, 39),
    width: (stream.isTTY && stream.columns) || 80,
    rule: () => (stream.isTTY ? `${dim('─'.repeat(Math.min(stream.columns ?? 80, 80)))}\n` : ''),
  }
}

// Control characters of the C0 and C1 sets, DEL, and what reorders text: all that could move the cursor,
// recolour the screen or disguise a line.
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/** Text from elsewhere on one line, with everything a terminal would act on written as an escape. */
export function printable(text: string): string {
  return text.replace(unsafe, escapeCharacter)
}

/** The same for text of several lines, such as a stack. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}

/** JSON that is as safe to show as it is to parse. */
export function toJson(value: unknown, indent?: number): string {
  // JSON.stringify escapes C0 itself; its own line breaks stay.
  return JSON.stringify(value, null, indent).replace(unsafe, (character) =>
    character === '\n' ? character : escapeCharacter(character),
  )
}

/** Indents every line but the first. */
export function indentRest(text: string, width: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(width)}`)
}

// Line breaks, what a style writes, and what is unsafe.
const controls = /\n|\p{Cc}\[(?:1|22?|3[1239])m|[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/**
 * Text as it goes to a terminal: whatever a command forgot to make {@link printable}, only line breaks and the codes of a
 * {@link Style} are left as they are.
 */
export function harmless(text: string): string {
  return text.replace(controls, (found) =>
    found === '\n' || found.startsWith('\u001b[') ? found : printable(found),
  )
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
