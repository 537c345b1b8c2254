declare module 'fs-native-extensions' {
  /**
   * Takes the lock of `length` bytes from `offset` (0: all) of an open file, or answers false while another
   * open file holds it. It ends with the process.
   */
  export function tryLock(fd: number, offset?: number, length?: number): boolean

  /** Gives the room of these bytes back to the disk; they read as zeros then, and the file's size stays. */
  export function trimSync(fd: number, offset: number, length: number): void
}
