import { closeSync, fstatSync, readSync, statSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { openIfPresent } from './log-tail.js'

const CHUNK_BYTES = 65_536
/** How much is read at once; the next look goes on there. */
const MAX_CHUNKS = 64
/** The daemon breaks lines earlier: see `ServiceLog`. */
const MAX_LINE_CHARACTERS = 2 ** 20

/** Reads what is added to a log from now on, also when it is set aside and a new one begins. */
export class LogFollower {
  #fd: number | null
  /** Up to here the file was read. */
  private offset: number
  #decoder = new StringDecoder()
  #rest = ''

  constructor(private readonly file: string) {
    this.#fd = openIfPresent(file)
    this.offset = this.#fd === null ? 0 : fstatSync(this.#fd).size
  }

  /** What it reads, up to where; null where there is no log so far. */
  get current(): { fd: number; size: number } | null {
    return this.#fd === null ? null : { fd: this.#fd, size: this.offset }
  }

  newLines(): string[] {
    // Asked first: what is written before the log is set aside is read to its end below.
    const current = statSync(this.file, { throwIfNoEntry: false })?.ino
    let text = this.#rest + this.#readOn()
    const reading = this.#fd === null ? undefined : fstatSync(this.#fd)
    const atEnd = reading === undefined || this.offset >= reading.size
    if (current !== undefined && current !== reading?.ino && atEnd) {
      this.close()
      this.#fd = openIfPresent(this.file)
      this.offset = 0
      text += this.#readOn()
    }
    const lines = text.split('\n')
    this.#rest = (lines.pop() ?? '').slice(-MAX_LINE_CHARACTERS)
    return lines
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #readOn() {
    if (this.#fd === null) return ''
    // Another program emptied it.
    if (fstatSync(this.#fd).size < this.offset) this.offset = 0
    let text = ''
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (let n = 0; n < MAX_CHUNKS; n++) {
      const length = readSync(this.#fd, chunk, 0, CHUNK_BYTES, this.offset)
      if (length === 0) return text
      this.offset += length
      text += this.#decoder.write(chunk.subarray(0, length))
    }
    return text
  }
}
