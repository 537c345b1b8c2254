import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Makes the bytes of a file survive a power cut. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes the names of new and renamed files in a directory survive a power cut. Windows has no call for it. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
