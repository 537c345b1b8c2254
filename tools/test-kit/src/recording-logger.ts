/** One entry of a log. */
export interface LoggedEntry {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  message: string
}

/** A logger that keeps its entries. */
export class RecordingLogger {
  readonly entries: LoggedEntry[] = []

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message)
  }

  /** The messages of one level, in order. */
  messages(level: LoggedEntry['level']): string[] {
    return this.entries.filter((entry) => entry.level === level).map(({ message }) => message)
  }

  #keep(level: LoggedEntry['level'], fields: object, message: string): void {
    this.entries.push({ level, fields: { ...fields }, message })
  }
}
