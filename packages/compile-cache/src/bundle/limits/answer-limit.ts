import type { ChildProcess } from 'node:child_process'

const MiB = 1024 * 1024

/** Longest answer of esbuild, in bytes: more than what is built there needs, with its map. */
export const MAX_ANSWER_BYTES = {
  /** On a thread that does more than building: reading one takes its time. */
  shared: 16 * MiB,
  /** On a thread of its own. */
  own: 96 * MiB,
}
const LENGTH_BYTES = 4

/**
 * Kills esbuild's process before it sends an answer that is too large: it repeats the whole line of the source with every
 * message, so that a line of 200 KB with 50,000 errors makes 10 GB.
 */
export function limitAnswers(child: ChildProcess, maxBytes: number): void {
  const lengths = new AnswerLengths()
  child.stdout?.on('data', (chunk: Buffer) => {
    if (lengths.longestIn(chunk) > maxBytes) child.kill('SIGKILL')
  })
}

/** The lengths of answers, read from the stream: each stands before its answer, as 32 bits with the lowest first. */
export class AnswerLengths {
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  #lengthBytes = 0
  #left = 0

  /** The length of the longest answer that begins in this part of the stream. */
  longestIn(chunk: Buffer): number {
    let longest = 0
    for (let at = 0; at < chunk.length; ) {
      const skipped = Math.min(this.#left, chunk.length - at)
      at += skipped
      this.#left -= skipped
      if (this.#left > 0) break
      const copied = chunk.copy(this.#length, this.#lengthBytes, at)
      at += copied
      this.#lengthBytes += copied
      if (this.#lengthBytes < LENGTH_BYTES) break
      this.#left = this.#length.readUInt32LE(0)
      this.#lengthBytes = 0
      longest = Math.max(longest, this.#left)
    }
    return longest
  }
}
