import type { Arena } from './arena.js'

/** Tells of programs that were late at first and in time when tried again: a stall, or a start of one. */
export function reportOverruns(mode: string, overruns: Arena['overruns']): void {
  if (overruns.length === 0) return
  const lines = overruns.map(
    ({ program, limitMs, tookMs }) =>
      `  ${program}: limit ${limitMs} ms, took ${tookMs.join(', ')} ms`,
  )
  console.info(`${overruns.length} programs were late at least once, ${mode}:\n${lines.join('\n')}`)
}
