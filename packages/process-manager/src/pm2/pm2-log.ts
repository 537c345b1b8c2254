import { open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogQuery, ServiceLogLine } from '../process-engine.js'

/** A file that an instance's stdout or stderr goes to. */
export interface LogSource {
  path: string
  instance: number
  stream: ServiceLogLine['stream']
}

const chunkBytes = 65_536
const pollMs = 200

/** The last lines of a service's files in the order of their times, and, if asked, what is written from then on. */
export async function* pm2Log(
  name: string,
  sources: readonly LogSource[],
  { lines = 100, follow = false, signal }: LogQuery,
): AsyncGenerator<ServiceLogLine> {
  const tails = await Promise.all(sources.map((source) => readTail(name, source, lines)))
  const found = tails.flatMap((tail) => tail.lines).sort((a, b) => a.time - b.time)
  yield* found.slice(Math.max(0, found.length - lines))
  if (!follow) return
  const followers = tails.map(({ size }, i) => new Follower(name, sources[i]!, size))
  while (!signal?.aborted) {
    for (const follower of followers) yield* await follower.read()
    await sleep(pollMs, undefined, { signal }).catch(() => {})
  }
}

/** Reads a file backwards until it has enough lines. */
async function readTail(
  name: string,
  source: LogSource,
  lines: number,
): Promise<{ lines: ServiceLogLine[]; size: number }> {
  const file = await open(source.path).catch(() => undefined)
  if (!file) return { lines: [], size: 0 }
  try {
    const { size, mtimeMs } = await file.stat()
    const chunks: Buffer[] = []
    let begin = size
    for (let ends = 0; begin > 0 && ends <= lines; ) {
      const length = Math.min(chunkBytes, begin)
      begin -= length
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, begin)
      ends += buffer.reduce((sum, byte) => sum + Number(byte === newline), 0)
      chunks.unshift(buffer)
    }
    const read = Buffer.concat(chunks)
    // What is before the first end of a line may be half a line, or what comes after the last one.
    const from = begin === 0 ? 0 : read.indexOf(newline) + 1
    const to = read.lastIndexOf(newline) + 1
    const records = read.subarray(from, to).toString('utf8').split('\n').slice(0, -1)
    const found = records.flatMap((record) => parseRecord(name, source, record, mtimeMs))
    return { lines: found.slice(Math.max(0, found.length - lines)), size: size - read.length + to }
  } finally {
    await file.close()
  }
}

const newline = 10

/** Reads what a file grows by. */
class Follower {
  readonly #name: string
  readonly #source: LogSource
  #offset: number
  #rest = Buffer.alloc(0)

  constructor(name: string, source: LogSource, offset: number) {
    this.#name = name
    this.#source = source
    this.#offset = offset
  }

  async read(): Promise<ServiceLogLine[]> {
    const { path } = this.#source
    const size = (await stat(path).catch(() => undefined))?.size ?? 0
    // It was emptied or replaced.
    if (size < this.#offset) this.#offset = 0
    if (size === this.#offset) return []
    const file = await open(path).catch(() => undefined)
    if (!file) return []
    try {
      const length = size - this.#offset
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, this.#offset)
      this.#offset += bytesRead
      return this.#take(buffer.subarray(0, bytesRead))
    } finally {
      await file.close()
    }
  }

  #take(bytes: Buffer): ServiceLogLine[] {
    const read = Buffer.concat([this.#rest, bytes])
    const end = read.lastIndexOf(newline) + 1
    this.#rest = read.subarray(end)
    const records = read.subarray(0, end).toString('utf8').split('\n').slice(0, -1)
    return records.flatMap((record) => parseRecord(this.#name, this.#source, record, Date.now()))
  }
}

/** PM2 writes `{ message, timestamp, type, process_id }` for what is written at once, if it is told to. */
function parseRecord(
  name: string,
  { instance, stream }: LogSource,
  record: string,
  otherwiseTime: number,
): ServiceLogLine[] {
  const { message, time } = parseJsonRecord(record) ?? { message: record, time: otherwiseTime }
  return message
    .replace(/\n$/, '')
    .split('\n')
    .map((text) => ({ name, instance, stream, time, text }))
}

function parseJsonRecord(record: string): { message: string; time: number } | undefined {
  if (!record.startsWith('{"message":')) return undefined
  try {
    const { message, timestamp } = JSON.parse(record) as { message: unknown; timestamp: unknown }
    const time = Date.parse(String(timestamp))
    return typeof message === 'string' && !Number.isNaN(time) ? { message, time } : undefined
  } catch {
    return undefined
  }
}
