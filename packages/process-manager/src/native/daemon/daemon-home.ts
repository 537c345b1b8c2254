import { fstatSync, statSync } from 'node:fs'
import { tryLock } from 'fs-native-extensions'
import { takePrivateHome } from '../files/private-home.js'
import { APPEND, openRegularFile } from '../files/regular-file.js'
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
    takePrivateHome(paths)
    const lock = openRegularFile(paths.lock, APPEND)
    return tryLock(lock) ? new DaemonHome(paths, lock) : null
  }

  /** False once the directory was removed: when it is made again, another daemon may use it. */
  get isOurs(): boolean {
    return statSync(this.paths.lock, { throwIfNoEntry: false })?.ino === fstatSync(this.#lock).ino
  }
}
