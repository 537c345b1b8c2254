import { writeSync } from 'node:fs'
import { harmless } from './terminal.js'

// Everything that a command writes goes through this file and `print-now.ts`: a text that a sender or a server chose
// cannot reach the terminal any other way.

/** Writes to stdout; a reader that has gone away (`| head`) ends the command quietly. */
export function print(text: string): void {
  watchForLostOutput()
  process.stdout.write(harmless(text))
}

/** Writes to stderr. */
export function printError(text: string): void {
  watchForLostOutput()
  process.stderr.write(harmless(text))
}

/** Draws over what the terminal shows and clears the rest of it: the screen does not flicker. */
export function drawScreen(text: string): void {
  watchForLostOutput()
  process.stdout.write(`\u001b[H${harmless(text).replaceAll('\n', '\u001b[K\n')}\u001b[J`)
}

/** Says that output is lost, as on a full disk; the command fails, but a server goes on. */
export function reportLostOutput(error: Error): void {
  process.exitCode = 1
  try {
    writeSync(2, harmless(`nexus: cannot write the output: ${error.message}\n`))
  } catch {
    // There is no other place to say it.
  }
}

let watching = false

function watchForLostOutput(): void {
  if (watching) return
  watching = true
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit()
      if (stream === process.stdout) reportLostOutput(error)
      else process.exitCode = 1
    })
  }
}
