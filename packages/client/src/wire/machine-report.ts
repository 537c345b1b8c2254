/** Bytes that went both ways, in all and by second. */
export interface TrafficReport {
  /** Read or received, in all. */
  inBytes: number
  /** Written or sent, in all. */
  outBytes: number
  /** Read or received in a second, since the report before. */
  inBytesPerSecond: number
  /** Written or sent in a second, since the report before. */
  outBytesPerSecond: number
}

/** The machine, or the container that limits it, and the server's share. Shares are from 0 to 1. */
export interface MachineReport {
  /** Whose limits these are. */
  scope: 'machine' | 'container'
  /** Length of the time this is about, in milliseconds. */
  durationMs: number
  /** Its processors. */
  cpu: {
    /** Processors that may be used at once. */
    cores: number
    /** Share of them that was busy, for all programs. */
    busyRatio: number
    /** The same for each core of the hardware. */
    busyRatioByCore: readonly number[]
    /** Share that the server used. */
    processRatio: number
    /** Share of the time that a hypervisor gave to others. */
    stealRatio?: number
    /** Share of the time that the container waited because it had used its limit. */
    throttledRatio?: number
    /** Programs that ran or waited to run, on average over 1, 5 and 15 minutes. */
    load: { 1: number; 5: number; 15: number }
  }
  /** In bytes. */
  memory: {
    totalBytes: number
    availableBytes: number
    /** What the server holds. */
    processBytes: number
    swap?: { totalBytes: number; usedBytes: number }
  }
  /** The disks that the server writes to, by what lies there. */
  disks: Readonly<Record<string, { totalBytes: number; availableBytes: number }>>
  /** All disks. */
  diskIo?: TrafficReport
  /** The server's part of it. */
  processDiskIo?: TrafficReport
  /** All network interfaces but the loopback. */
  network?: TrafficReport
}
