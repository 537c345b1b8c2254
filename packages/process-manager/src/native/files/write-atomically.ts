import { closeSync, fdatasyncSync, openSync, renameSync, writeSync } from 'node:fs'

/** Replaces a file of this user alone so that a reader sees the old text or the new, whatever happens in between. */
export function writeAtomically(path: string, text: string, { sync = false } = {}): void {
  const scratch = `${path}.new`
  const fd = openSync(scratch, 'w', 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    if (sync) fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(scratch, path)
}
