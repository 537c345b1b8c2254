/** Interleaved measuring: each contestant runs a slice in turn, so that a slow moment hits all of them. */

/** The value below which a share of the sorted samples lies. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/**
 * Times single calls of each contestant in interleaved slices.
 *
 * @param contestants `{ name: () => value | Promise }`; each call is one sample
 * @returns `{ name: { p50, p99, samples } }` in microseconds
 */
export async function timeCalls(
  contestants,
  { slices = 20, callsPerSlice = 500, warmUp = 500 } = {},
) {
  const samples = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]))
  for (const call of Object.values(contestants)) {
    for (let i = 0; i < warmUp; i++) await call()
  }
  for (let slice = 0; slice < slices; slice++) {
    for (const [name, call] of Object.entries(contestants)) {
      for (let i = 0; i < callsPerSlice; i++) {
        const start = process.hrtime.bigint()
        const pending = call()
        if (pending instanceof Promise) await pending
        samples[name].push(Number(process.hrtime.bigint() - start) / 1000)
      }
    }
  }
  return Object.fromEntries(
    Object.entries(samples).map(([name, times]) => {
      times.sort((a, b) => a - b)
      return [
        name,
        { p50: quantile(times, 0.5), p99: quantile(times, 0.99), samples: times.length },
      ]
    }),
  )
}

/** Prints `rows` of cells, the first one as the head, columns aligned. */
export function printTable(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)))
  for (const row of rows) {
    console.log(
      row
        .map((cell, i) =>
          i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]),
        )
        .join('  '),
    )
  }
}

/** One line of a verdict: what was asked, what came out, and whether it is met. */
export function verdict(what, value, limit, unit = '×') {
  const met = limit.startsWith('≥')
    ? value >= Number(limit.slice(1))
    : value <= Number(limit.slice(1))
  console.log(
    `${met ? 'met   ' : 'MISSED'}  ${what}: ${value.toPrecision(3)} ${unit}, to reach ${limit}`,
  )
  return met
}
