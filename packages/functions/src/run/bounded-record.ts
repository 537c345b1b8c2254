import type { LogLine, RunError, RunRecord, TruncatedPart } from './run-record.js'

const ELLIPSIS = '…'

/**
 * Makes a record fit into `maxBytes` of JSON. The error is what an operator needs most, then the logs, then the value:
 * a value that does not fit is left out, of the logs the first lines are kept, texts of the error are shortened.
 *
 * @returns the same record when it fits, else a copy whose `truncated` names what was cut
 */
export function boundedRecord(record: RunRecord, maxBytes: number): RunRecord {
  if (bytesOf(record) <= maxBytes) return record
  const { value, logs, error, durationMs, suspension } = record
  const truncated: TruncatedPart[] = []
  const bounded: RunRecord = {
    durationMs,
    logs: [],
    truncated,
    ...(suspension && { suspension }),
  }
  // Room for `durationMs`, the names and `truncated` itself.
  let left = maxBytes - 256 - bytesOf(suspension ?? null)
  if (error !== undefined) {
    const kept = boundedError(error, Math.floor(left / 2))
    if (kept !== error) truncated.push('error')
    bounded.error = kept
    left -= bytesOf(kept)
  }
  bounded.logs = firstLines(logs, left)
  if (bounded.logs.length < logs.length) truncated.push('logs')
  left -= bytesOf(bounded.logs)
  if (value !== undefined) {
    if (bytesOf(value) <= left) bounded.value = value
    else truncated.push('value')
  }
  return bounded
}

function firstLines(logs: readonly LogLine[], maxBytes: number): LogLine[] {
  let left = maxBytes
  const end = logs.findIndex((line) => {
    left -= bytesOf(line) + 1
    return left < 0
  })
  return end === -1 ? [...logs] : logs.slice(0, end)
}

function boundedError(error: RunError, maxBytes: number): RunError {
  if (bytesOf(error) <= maxBytes) return error
  // Seven texts at most; JSON may write one UTF-16 unit as six bytes.
  const maxLength = Math.floor(maxBytes / 7 / 6)
  const short = (text: string) =>
    text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}${ELLIPSIS}`
  const { code, name, message, stack, location, sourceLines } = error
  return {
    code,
    name: short(name),
    message: short(message),
    ...(stack === undefined ? {} : { stack: short(stack) }),
    ...(location && { location: { ...location, file: short(location.file) } }),
    ...(sourceLines === undefined ? {} : { sourceLines: short(sourceLines) }),
  }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
