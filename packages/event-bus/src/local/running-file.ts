import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { RunningEntry } from '../log/log-engine.js'

/**
 * Which events this process is handling, so that an attempt that ended with the process is counted. It is
 * overwritten at every claim and never synced: the kernel keeps it when the process dies, and after a
 * power cut an attempt too few is counted, which is the safe side.
 */
export class RunningFile {
  readonly #descriptor: number
  readonly #path: string

  constructor(directory: string) {
    this.#path = join(directory, 'running')
    closeSync(openSync(this.#path, 'a'))
    this.#descriptor = openSync(this.#path, 'r+')
  }

  save(entries: readonly RunningEntry[]): void {
    const body = Buffer.from(JSON.stringify(entries))
    const header = Buffer.allocUnsafe(8)
    header.writeUInt32LE(body.length, 0)
    header.writeUInt32LE(crc32(body), 4)
    writeSync(this.#descriptor, Buffer.concat([header, body]), 0, body.length + 8, 0)
  }

  /** What the last process was handling; nothing when its last write was cut short. */
  load(): RunningEntry[] {
    const bytes = readFileSync(this.#path)
    // A power cut can leave zeros, whose checksum is that of nothing.
    if (bytes.length < 8 || bytes.readUInt32LE(0) === 0) return []
    const body = bytes.subarray(8, 8 + bytes.readUInt32LE(0))
    if (crc32(body) !== bytes.readUInt32LE(4)) return []
    return JSON.parse(body.toString()) as RunningEntry[]
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
