import { renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { lockDirectory } from '../directory-lock.js'
import { LOG_FILE } from '../engine/lmdb-engine.js'
import { syncDirectory, syncFile } from '../sync-directory.js'
import { checkLogFile } from './check-file.js'

/**
 * Rewrites a closed store without the space that removed events left; needs room for the copy meanwhile.
 *
 * @throws EventBusError `STORE_LOCKED` while a bus has it open, `STORE_CORRUPT`
 */
export async function compactLocalStore(
  path: string,
): Promise<{ bytesBefore: number; bytesAfter: number }> {
  const file = join(path, LOG_FILE)
  const release = lockDirectory(path)
  const copy = join(path, 'compacted.mdb')
  try {
    await checkLogFile(file)
    const bytesBefore = statSync(file).size
    rmSync(copy, { force: true })
    const database = open({ path: file, maxDbs: 16 })
    await database.backup(copy, true)
    await database.close()
    await checkLogFile(copy)
    syncFile(copy)
    renameSync(copy, file)
    syncDirectory(path)
    return { bytesBefore, bytesAfter: statSync(file).size }
  } finally {
    rmSync(copy, { force: true })
    release()
  }
}
