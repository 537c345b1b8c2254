const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/**
 * Reads an RFC 3339 time as epoch milliseconds; undefined when the text is not one, or names a day or an hour
 * that does not exist. A leap second counts as the second before it.
 */
export function parseRfc3339(text: string): number | undefined {
  const parts = RFC3339.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [offsetHours, offsetMinutes] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)]
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) {
    return undefined
  }
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day or month that does not exist moves into another one.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  date.setUTCHours(
    hour,
    minute,
    Math.min(second, 59),
    Math.floor(Number(`0.${parts[7] ?? 0}`) * 1000),
  )
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000
  const ms = date.getTime() - (parts[8] === '-' ? -offsetMs : offsetMs)
  return second === 60 && !endsMonth(ms) ? undefined : ms
}

/** Leap seconds come after 23:59:59 UTC on the last day of a month. */
function endsMonth(ms: number): boolean {
  const date = new Date(ms)
  const lastMinute = date.getUTCHours() === 23 && date.getUTCMinutes() === 59
  return lastMinute && new Date(ms + 86_400_000).getUTCDate() === 1
}
