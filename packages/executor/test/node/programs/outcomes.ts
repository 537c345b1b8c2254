/** A value as data that says its kind, so that the sandbox's and Node's can be compared. */
function shown(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { number: Object.is(value, -0) ? '-0' : String(value) }
  }
  if (value === undefined) return { undefined: true }
  if (typeof value === 'symbol') return { symbol: String(value) }
  if (typeof value === 'function') return { function: true }
  if (typeof value !== 'object' || value === null) return value
  if (depth > 6) return '…'
  if (value instanceof Error) return failure(value)
  if (value instanceof Date) return { date: value.getTime() }
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    return { [value.constructor.name]: Array.from(bytes).join(' ') }
  }
  if (value instanceof ArrayBuffer)
    return { ArrayBuffer: Array.from(new Uint8Array(value)).join(' ') }
  if (value instanceof Map) return { map: [...value].map((entry) => shown(entry, depth + 1)) }
  if (value instanceof Set) return { set: [...value].map((entry) => shown(entry, depth + 1)) }
  if (Array.isArray(value)) return value.map((item) => shown(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shown(item, depth + 1)]),
  )
}

function failure(error: unknown): unknown {
  if (!(error instanceof Error)) return { thrown: shown(error) }
  const { name, message } = error
  return { error: name, code: (error as { code?: unknown }).code ?? null, message }
}

/** What each of the functions gives or throws. */
export async function outcomes(cases: readonly (() => unknown)[]): Promise<unknown[]> {
  const results: unknown[] = []
  for (const run of cases) {
    try {
      results.push(shown(await run()))
    } catch (error) {
      results.push({ throws: failure(error) })
    }
  }
  return results
}
