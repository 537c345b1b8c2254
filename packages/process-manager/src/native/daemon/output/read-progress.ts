import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import type { LogPlace } from './service-log.js'

/** What is being moved from the output of a process to a log. */
interface Move {
  /** From here in the output… */
  from: number
  /** …to here. */
  to: number
  /** Null where nothing is moved: it is only told how far the output is read. */
  place: LogPlace | null
}

/** Always as long, so that one write replaces it without needing room on the disk. */
const LENGTH = 192

/**
 * Remembers how far the output of a process is in the log, so that a daemon that dies between any two steps makes the next
 * one neither leave out nor repeat a line.
 */
export class ReadProgress {
  #fd: number | null = null

  constructor(private readonly file: string) {}

  /** Before the move is made. */
  announce(from: number, to: number, place: LogPlace | null): void {
    // Neither emptied nor appended to.
    this.#fd ??= openSync(this.file, constants.O_RDWR | constants.O_CREAT, 0o600)
    const move: Move = { from, to, place }
    writeSync(this.#fd, JSON.stringify(move).padEnd(LENGTH), 0)
  }

  /** Where to read on. */
  resume(wasWritten: (place: LogPlace) => boolean): number {
    let move: Move
    try {
      move = JSON.parse(readFileSync(this.file, 'utf8')) as Move
    } catch {
      // Nothing was moved so far.
      return 0
    }
    return move.place === null || wasWritten(move.place) ? move.to : move.from
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }
}
