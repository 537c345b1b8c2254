import type { RawLog } from '../call/call.js'
import type { LogLevel } from '../guest/protocol.js'
import { logLimitNotice, maxLogLines } from '../result/log-limit.js'
import { ByteCollector } from './byte-collector.js'

/** `WARN message` or `WARN: message`; every other line is of the level info. */
const LEVELLED = /^(DEBUG|INFO|WARN|ERROR):? (.*)$/s
const NEWLINE = 10

/** Turns what a command writes to stderr into log lines, up to a limit of bytes. */
export class CallLog {
  readonly lines: RawLog[] = []
  readonly #line = new ByteCollector()
  #bytes = 0
  #full = false

  constructor(private readonly maxBytes: number) {}

  write(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const newline = rest.indexOf(NEWLINE)
      const end = newline === -1 ? rest.length : newline + 1
      if (!this.#keep(rest.subarray(0, end))) return
      if (newline === -1) return
      this.endLine()
      rest = rest.subarray(end)
    }
  }

  /** The line that was begun is complete. */
  endLine(): void {
    if (this.#line.length === 0) return
    const text = this.#line.takeText().replace(/\r?\n$/, '')
    if (text === '') return
    const [, level, message] = LEVELLED.exec(text) ?? []
    if (level === undefined) this.#add('info', text)
    else this.#add(level.toLowerCase() as LogLevel, message!)
  }

  #keep(bytes: Buffer): boolean {
    if (this.#full) return false
    this.#bytes += bytes.length
    if (this.#bytes > this.maxBytes || this.lines.length >= maxLogLines(this.maxBytes)) {
      this.#full = true
      this.#line.takeText()
      this.lines.push(logLimitNotice(this.maxBytes))
      return false
    }
    this.#line.add(bytes)
    return true
  }

  #add(level: LogLevel, message: string): void {
    this.lines.push({ level, message, time: Date.now(), fieldsJson: undefined })
  }
}
