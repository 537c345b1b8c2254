const { performance } = globalThis

interface Entry {
  name: string
  entryType: string
  startTime: number
  duration: number
  detail?: unknown
}

const entries: Entry[] = []

/** The clock of the call, with marks and measures. */
const withMarks = {
  now: () => performance.now(),
  get timeOrigin() {
    return performance.timeOrigin
  },
  mark(name: string, options: { startTime?: number; detail?: unknown } = {}): Entry {
    const { startTime = performance.now(), detail = null } = options
    const entry = { name: String(name), entryType: 'mark', startTime, duration: 0, detail }
    entries.push(entry)
    return entry
  },
  measure(name: string, start?: string, end?: string): Entry {
    const at = (mark: string | undefined, otherwise: number) => {
      if (mark === undefined) return otherwise
      const found = entries.findLast((entry) => entry.entryType === 'mark' && entry.name === mark)
      if (!found)
        throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError')
      return found.startTime
    }
    const startTime = at(start, 0)
    const duration = at(end, performance.now()) - startTime
    const entry = { name: String(name), entryType: 'measure', startTime, duration, detail: null }
    entries.push(entry)
    return entry
  },
  getEntries: () => [...entries],
  getEntriesByName: (name: string, type?: string) =>
    entries.filter(
      (entry) => entry.name === name && (type === undefined || entry.entryType === type),
    ),
  getEntriesByType: (type: string) => entries.filter((entry) => entry.entryType === type),
  clearMarks: (name?: string) => clear('mark', name),
  clearMeasures: (name?: string) => clear('measure', name),
  timerify: <F>(callback: F): F => callback,
  toJSON: () => ({ timeOrigin: performance.timeOrigin }),
}

function clear(type: string, name: string | undefined): void {
  const kept = entries.filter(
    (entry) => entry.entryType !== type || (name !== undefined && entry.name !== name),
  )
  entries.splice(0, entries.length, ...kept)
}

export const constants: Readonly<Record<string, number>> = Object.freeze({})
export { withMarks as performance }
export default { constants, performance: withMarks }
