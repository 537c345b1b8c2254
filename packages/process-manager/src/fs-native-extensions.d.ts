declare module 'fs-native-extensions' {
  /**
   * Takes an exclusive lock on `length` bytes from `offset` (0: all) of the file that belongs to the open
   * descriptor; false when another descriptor has it.
   */
  export function tryLock(descriptor: number, offset?: number, length?: number): boolean
}
