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

/** Writes to stdout; a reader that has gone away (`| head`) ends the command quietly. */
export function print(text: string): void {
  endOnClosedPipe()
  process.stdout.write(text)
}

let ending = false

/** Ends the process when nobody reads its output any more; a full disk behind it is no reason to end a server. */
export function endOnClosedPipe(): void {
  if (ending) return
  ending = true
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit()
      process.exitCode = 1
    })
  }
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
