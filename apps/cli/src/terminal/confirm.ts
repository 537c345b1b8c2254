import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { printError } from './output.js'

/** Asks on the terminal; anything but `y` or `yes` is a no, and so is the end of the input. */
export async function confirm(question: string): Promise<boolean> {
  printError(question)
  const lines = createInterface({ input: process.stdin })
  const closed = once(lines, 'close').then(() => [''])
  const [answer] = (await Promise.race([once(lines, 'line'), closed])) as [string]
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}
