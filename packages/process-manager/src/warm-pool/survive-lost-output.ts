import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const STDOUT = 1
const STDERR = 2

/**
 * What this process prints is lost when the disk is full, or when it prints into a pipe whose reader is gone; that is no
 * reason to fail. Loggers write to the descriptors themselves, so these writes are covered as the streams are.
 */
export function surviveLostOutput(): void {
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const { writeSync, write } = fs
  fs.writeSync = function survives(fd: number, data: unknown, ...rest: unknown[]): number {
    try {
      return Reflect.apply(writeSync, fs, [fd, data, ...rest]) as number
    } catch (error) {
      if (!isLost(fd, error)) throw error
      return lengthOf(data, rest)
    }
  } as typeof writeSync
  const survives = (fd: number, data: unknown, ...rest: unknown[]): void => {
    const done = rest.pop()
    const answer = (error: Error | null, ...results: unknown[]) => {
      const lost = error !== null && isLost(fd, error)
      const told = lost ? [null, lengthOf(data, rest), data] : [error, ...results]
      Reflect.apply(done as () => void, undefined, told)
    }
    Reflect.apply(write, fs, [fd, data, ...rest, typeof done === 'function' ? answer : done])
  }
  // `util.promisify` finds among its properties what to answer.
  fs.write = Object.defineProperties(
    survives,
    Object.getOwnPropertyDescriptors(write),
  ) as typeof write
  syncBuiltinESMExports()
}

function isLost(fd: number, error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return (fd === STDOUT || fd === STDERR) && ['ENOSPC', 'EDQUOT', 'EPIPE'].includes(code)
}

/** `(text, position?, encoding?)`, `(bytes, offset?, length?, position?)` or `(bytes, { offset, length })`. */
function lengthOf(data: unknown, rest: readonly unknown[]): number {
  if (typeof data === 'string') return Buffer.byteLength(data, rest[1] as BufferEncoding)
  const [first, second] = rest
  const { offset, length } = (
    typeof first === 'object' && first !== null ? first : { offset: first, length: second }
  ) as { offset?: number; length?: number }
  return length ?? (data as Uint8Array).byteLength - (offset ?? 0)
}
