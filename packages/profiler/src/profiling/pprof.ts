import { gzipSync } from 'node:zlib'
import {
  Line,
  Location,
  Function as PprofFunction,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format'
import type { CallNode, Frame } from './call-tree.js'

/** What the numbers of a tree are. */
export interface PprofMeaning {
  /** Such as `cpu` or `inuse_space`. */
  type: string
  /** As pprof spells it. */
  unit: 'microseconds' | 'bytes'
  /** Distance between two samples, in `unit`. */
  period: number
  /** In milliseconds since the epoch. */
  startedMs: number
  durationMs: number
}

/** Encodes a call tree for `go tool pprof` and everything else that reads its format, gzipped. */
export function encodePprof(root: CallNode, meaning: PprofMeaning): Buffer {
  const stringTable = new StringTable()
  const locations = new Map<string, Location>()
  const functions: PprofFunction[] = []
  const samples: Sample[] = []

  const locate = (frame: Frame): number => {
    const key = `${frame.name}\n${frame.url}\n${frame.line}\n${frame.column}`
    const known = locations.get(key)
    if (known) return Number(known.id)
    const id = locations.size + 1
    functions.push(
      new PprofFunction({
        id,
        name: stringTable.dedup(frame.name),
        systemName: stringTable.dedup(frame.name),
        filename: stringTable.dedup(frame.url),
        startLine: frame.line,
      }),
    )
    const line = new Line({ functionId: id, line: frame.line, column: frame.column })
    locations.set(key, new Location({ id, line: [line] }))
    return id
  }
  // The path goes from the function to its outermost caller; the root itself is no function.
  const visit = (node: CallNode, callers: readonly number[]) => {
    const path = [locate(node.frame), ...callers]
    if (node.self > 0)
      samples.push(new Sample({ locationId: path, value: [Math.round(node.self)] }))
    for (const child of node.children) visit(child, path)
  }
  for (const child of root.children) visit(child, [])

  const valueType = new ValueType({
    type: stringTable.dedup(meaning.type),
    unit: stringTable.dedup(meaning.unit),
  })
  const profile = new Profile({
    sampleType: [valueType],
    sample: samples,
    location: [...locations.values()],
    function: functions,
    stringTable,
    timeNanos: BigInt(Math.round(meaning.startedMs)) * 1_000_000n,
    durationNanos: BigInt(Math.round(meaning.durationMs)) * 1_000_000n,
    periodType: valueType,
    period: meaning.period,
  })
  return gzipSync(profile.encode())
}
