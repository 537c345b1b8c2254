import { fstatSync, writeSync } from 'node:fs'
import { print, reportLostOutput } from './output.js'
import { harmless, type Style, styleOf } from './terminal.js'

/**
 * Writes a short answer to stdout without setting up a stream, which takes a tenth of the time that Node needs
 * to start.
 */
export function printNow(text: string): void {
  // A console of Windows wants its text in another encoding, which the stream sees to.
  if (process.platform === 'win32') print(text)
  else write(Buffer.from(harmless(text)))
}

function write(bytes: Buffer): void {
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // The reader has gone away (`| head`), or the disk is full.
    if (code === 'EPIPE') process.exit()
    if (code !== 'EAGAIN') reportLostOutput(error as Error)
    else print(bytes.subarray(written).toString())
  }
}

/** The style of stdout; plain at once where there can be no terminal. */
export function stdoutStyle(): Style {
  return isDevice() ? styleOf(process.stdout) : styleOf({} as NodeJS.WriteStream)
}

function isDevice(): boolean {
  try {
    return fstatSync(1).isCharacterDevice()
  } catch {
    return false
  }
}
