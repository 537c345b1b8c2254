declare module 'fs-native-extensions' {
  /**
   * Takes a lock on the whole file that belongs to the open descriptor: an exclusive one, or one of several shared ones. False
   * when another process, or another descriptor, has one that does not go with it.
   */
  export function tryLock(descriptor: number, options?: { shared: boolean }): boolean
}
