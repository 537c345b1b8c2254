import type { ServiceLogLine } from '../process-engine.js'

/** A line of a log file: `2026-11-20T16:00:00.000Z 0 stdout text`. */
export function formatLogLine(line: Omit<ServiceLogLine, 'name'>): string {
  return `${new Date(line.time).toISOString()} ${line.instance} ${line.stream} ${line.text}\n`
}

/** Reads what {@link formatLogLine} wrote; null for anything else, such as a line that a crash cut short. */
export function parseLogLine(name: string, text: string): ServiceLogLine | null {
  const match = /^(\S{24}) (\d+) (stdout|stderr) (.*)$/s.exec(text)
  const time = Date.parse(match?.[1] ?? '')
  if (match === null || Number.isNaN(time)) return null
  return {
    name,
    instance: Number(match[2]),
    stream: match[3] as ServiceLogLine['stream'],
    time,
    text: match[4] ?? '',
  }
}
