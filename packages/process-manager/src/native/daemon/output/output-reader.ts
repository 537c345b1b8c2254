import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { trimSync } from 'fs-native-extensions'
import type { Warnings } from '../state/warnings.js'
import { ReadProgress } from './read-progress.js'
import type { LogPlace, ServiceLog } from './service-log.js'
import { MAX_LINE_BYTES, splitLines } from './split-lines.js'

/** Holds the longest line and what shows that it is one. */
const CHUNK_BYTES = 4 * MAX_LINE_BYTES
/** Read in one go; other processes have their turn then. */
const ROUND_BYTES = 4 * 2 ** 20
/** What was read is freed on the disk in pieces of about this size. */
const FREE_BYTES = 2 ** 20
const BLOCK_BYTES = 65_536

/** One stream of a process: moves what it prints from its file to the log of its service. */
export class OutputReader {
  readonly #fd: number
  readonly #progress: ReadProgress
  #at: number
  /** Up to here the file takes no room on the disk any more. */
  #freed = 0
  /** Of the file, when everything was read that can be. */
  #size = -1
  #endsMidLine = false
  #canFree = true

  constructor(
    directory: string,
    private readonly stream: 'stdout' | 'stderr',
    private readonly instance: number,
    private readonly log: ServiceLog,
    private readonly warnings: Warnings,
  ) {
    this.#fd = openSync(join(directory, stream), 'r+')
    this.#progress = new ReadProgress(join(directory, `${stream}.read`))
    this.#at = this.#progress.resume((place: LogPlace) => log.has(place))
  }

  /** What was printed so far is no output of the service. */
  skip(): void {
    this.#at = fstatSync(this.#fd).size
    if (this.#at > 0) this.#progress.announce(0, this.#at, null)
  }

  /** Answers whether there was anything new. */
  read(isLast: boolean, time: (lastWrittenAt: number) => number): boolean {
    const { size, mtimeMs } = fstatSync(this.#fd)
    if (size === this.#size && !isLast) return false
    if (size < this.#at) this.#startOver()
    if (size - this.#at > this.log.keptBytes) this.#skipTo(size - this.log.keptBytes)
    const until = isLast ? size : Math.min(size, this.#at + ROUND_BYTES)
    let complete = true
    while (complete && this.#at < until) complete = this.#move(size, isLast, time(mtimeMs))
    // What could not be written, or did not fit into this round, is read in the next.
    this.#size = this.#endsMidLine || this.#at === size ? size : -1
    return true
  }

  close(): void {
    closeSync(this.#fd)
    this.#progress.close()
  }

  /** Answers whether reading may go on. */
  #move(size: number, isLast: boolean, time: number): boolean {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - this.#at))
    const length = readSync(this.#fd, chunk, 0, chunk.length, this.#at)
    const { lines, taken } = splitLines(
      chunk.subarray(0, length),
      isLast && this.#at + length >= size,
    )
    this.#endsMidLine = lines.length === 0
    if (this.#endsMidLine) return false
    const from = this.#at
    const { instance, stream } = this
    const stored = this.log.append({ lines, instance, stream, time }, (place) =>
      this.#progress.announce(from, from + taken, place),
    )
    if (!stored) {
      this.warnings.attempt('write down what was read', () =>
        this.#progress.announce(from, from, null),
      )
      return false
    }
    this.#at += taken
    this.#free(size)
    return true
  }

  /** The process, or a program it started, has emptied the file. */
  #startOver() {
    this.#at = 0
    this.#freed = 0
  }

  /** The log would not keep what is before; from the next line on. */
  #skipTo(position: number) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const length = readSync(this.#fd, chunk, 0, chunk.length, position)
    this.#at = position + chunk.subarray(0, length).indexOf('\n') + 1
  }

  /** A hole in the file: nothing that is written meanwhile can be lost, as it could be if the file were emptied. */
  #free(size: number) {
    if (!this.#canFree) {
      if (this.#at === size) {
        ftruncateSync(this.#fd, 0)
        this.#startOver()
      }
      return
    }
    const to = this.#at - (this.#at % BLOCK_BYTES)
    if (to - this.#freed < FREE_BYTES) return
    try {
      trimSync(this.#fd, this.#freed, to - this.#freed)
      this.#freed = to
    } catch (error) {
      this.#canFree = false
      this.warnings.warn('free what was read of an output, so it empties the file instead', error)
    }
  }
}
