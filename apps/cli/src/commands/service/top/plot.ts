const bars = '▁▂▃▄▅▆▇█'

/** The course of a figure in one line, the newest value to the right; from 0 to the largest that is shown. */
export function plot(values: readonly number[], width: number): string {
  const shown = values.slice(-width)
  const most = Math.max(...shown, Number.MIN_VALUE)
  return shown.map((value) => bars[Math.round((Math.max(0, value) / most) * 7)]).join('')
}
