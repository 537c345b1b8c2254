import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const CHUNK_BYTES = 65_536
const NEWLINE = 0x0a

/**
 * The last lines of a log up to a size of it, reading no more than they take; the older files `.1`, `.2`, … are read on
 * when it has not as many.
 */
export function lastLines(file: string, size: number, count: number): string[] {
  let lines: string[] = []
  for (let n = 0; lines.length < count; n++) {
    const found = tail(n === 0 ? file : `${file}.${n}`, n === 0 ? size : null, count - lines.length)
    if (found === null && n > 0) break
    lines = [...(found ?? []), ...lines]
  }
  return lines
}

/** Null where there is no such file. */
function tail(file: string, size: number | null, count: number): string[] | null {
  const fd = openIfPresent(file)
  if (fd === null) return null
  try {
    const chunks: Buffer[] = []
    let newlines = 0
    let at = size ?? fstatSync(fd).size
    // One more than the lines, for the end of the line before them.
    while (at > 0 && newlines <= count) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, at))
      at -= chunk.length
      readSync(fd, chunk, 0, chunk.length, at)
      for (const byte of chunk) if (byte === NEWLINE) newlines++
      chunks.unshift(chunk)
    }
    const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
    return count === 0 ? [] : lines.slice(-count)
  } finally {
    closeSync(fd)
  }
}

/** Null where there is no such file. */
export function openIfPresent(file: string): number | null {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
