import { chmodSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import { tryLock } from 'fs-native-extensions'
import type { NativePaths } from '../paths.js'

/** The daemon's hold on its directory: a lock that ends with the process, however it ends. */
export class DaemonHome {
  readonly #lock: number

  private constructor(
    private readonly paths: NativePaths,
    lock: number,
  ) {
    this.#lock = lock
  }

  /** Null while another daemon holds it. */
  static take(paths: NativePaths): DaemonHome | null {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 })
    if ((statSync(paths.root).mode & 0o077) !== 0) chmodSync(paths.root, 0o700)
    const lock = openSync(paths.lock, 'a', 0o600)
    return tryLock(lock) ? new DaemonHome(paths, lock) : null
  }

  /** False once the directory was removed: when it is made again, another daemon may use it. */
  get isOurs(): boolean {
    return statSync(this.paths.lock, { throwIfNoEntry: false })?.ino === fstatSync(this.#lock).ino
  }
}
