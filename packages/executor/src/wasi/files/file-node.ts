/** When something happened to a file, in nanoseconds since the epoch. */
export interface FileTimes {
  accessed: bigint
  modified: bigint
  changed: bigint
}

/** A file or directory, whatever its name is by now. */
export interface FileNode extends FileTimes {
  readonly inode: number
}

/** New times; one left out stays. */
export type NewTimes = Partial<Pick<FileTimes, 'accessed' | 'modified'>>

/** The current time, in nanoseconds since the epoch. */
export function nowNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6))
}
