/** The processors of the machine, since the reading before. Shares are from 0 to 1. */
export interface CpuReading {
  /** Processors that may be used at once; less than one where a container is given less. */
  cores: number
  /** Share of them that was busy, for all programs. */
  busyRatio: number
  /** The same for each core of the hardware, also in a container. */
  busyRatioByCore: readonly number[]
  /** Share of them that this process used. */
  processRatio: number
  /** Share of the time that a hypervisor gave to others; absent where the system does not tell. */
  stealRatio?: number | undefined
  /** Share of the time that the container had to wait because it had used its limit; absent without a limit. */
  throttledRatio?: number | undefined
  /** Programs that ran or waited to run, on average over 1, 5 and 15 minutes; zeros on Windows. */
  load: { 1: number; 5: number; 15: number }
}

/** The memory of the machine, in bytes. */
export interface MemoryReading {
  /** How much there is. */
  totalBytes: number
  /** How much programs can still get without swapping. */
  availableBytes: number
  /** What of it this process holds. */
  processBytes: number
  /** Memory on disk; absent where the system does not tell. */
  swap?: { totalBytes: number; usedBytes: number } | undefined
}

/** The disk that a directory lies on, in bytes. */
export interface DiskSpaceReading {
  /** How large it is. */
  totalBytes: number
  /** What this user may still write. */
  availableBytes: number
}

/** Bytes that went both ways: since the start of the machine or process, and by second since the reading before. */
export interface TrafficReading {
  /** Read or received, in all. */
  inBytes: number
  /** Written or sent, in all. */
  outBytes: number
  /** Read or received, by second. */
  inBytesPerSecond: number
  /** Written or sent, by second. */
  outBytesPerSecond: number
}

/** What the machine did since the reading before, and this process's share. In a container, its limits are the machine. */
export interface SystemReading {
  /** Whose limits these are. */
  scope: 'machine' | 'container'
  /** Length of the time this is about, in milliseconds. */
  durationMs: number
  /** Its processors. */
  cpu: CpuReading
  /** Its memory. */
  memory: MemoryReading
  /** By the name that was given to each directory; one that cannot be looked at is left out. */
  disks: Readonly<Record<string, DiskSpaceReading>>
  /** Reading and writing of all disks of the machine; absent where the system does not tell. */
  diskIo?: TrafficReading | undefined
  /** That of this process alone. */
  processDiskIo?: TrafficReading | undefined
  /** All network interfaces but the loopback, of this container if it has its own. */
  network?: TrafficReading | undefined
}
