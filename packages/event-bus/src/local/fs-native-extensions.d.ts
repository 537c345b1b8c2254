declare module 'fs-native-extensions' {
  /** Takes an exclusive lock on the whole file that belongs to the open descriptor; false when another process has it. */
  export function tryLock(descriptor: number): boolean
}
