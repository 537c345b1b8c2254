import type { JsonValue } from '../../event/cloud-event.js'

/**
 * Makes a record fit into `maxBytes` of UTF-8 JSON. Where it has more, its largest members are cut, the
 * largest first: a text and a list keep their beginning, anything else becomes null. `truncated` names them.
 */
export function fitRecord(record: JsonValue, maxBytes: number): JsonValue {
  if (bytesOf(record) <= maxBytes) return record
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return fitRecord({ value: record }, maxBytes)
  }
  const fitted: { [key: string]: JsonValue | undefined } = { ...record }
  const truncated: string[] = []
  const largestFirst = Object.keys(record)
    .map((name) => ({ name, bytes: bytesOf(record[name]) }))
    .sort((a, b) => b.bytes - a.bytes)
  for (const { name, bytes } of largestFirst) {
    truncated.push(name)
    fitted.truncated = truncated
    const excess = bytesOf(fitted) - maxBytes
    if (excess <= 0) {
      truncated.pop()
      break
    }
    fitted[name] = beginning(record[name], bytes - excess)
    if (bytesOf(fitted) <= maxBytes) return fitted
    fitted[name] = null
  }
  return bytesOf(fitted) <= maxBytes ? fitted : { truncated: ['everything'] }
}

/** As much of the beginning of a value as fits. */
function beginning(value: JsonValue | undefined, maxBytes: number): JsonValue {
  if (typeof value === 'string') return longest(value.length, (n) => value.slice(0, n), maxBytes)
  if (Array.isArray(value)) return longest(value.length, (n) => value.slice(0, n), maxBytes)
  return null
}

function longest(most: number, cut: (n: number) => JsonValue, maxBytes: number): JsonValue {
  let low = 0
  let high = most
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (bytesOf(cut(middle)) <= maxBytes) low = middle
    else high = middle - 1
  }
  return low === 0 ? null : cut(low)
}

function bytesOf(value: JsonValue | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
}
