import { fileURLToPath } from 'node:url'

/** What watches and sums up a test run, of all packages or of one. */
export const REPORTERS: string[] = [
  'default',
  own('totals-reporter.ts'),
  own('hung-file-killer.ts'),
]

function own(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
