import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs'

/**
 * What lies at a path, its own link not followed, as a text that changes when it does: a file that is written again or
 * replaced has another one, also where name, size and time stay the same. A directory has one as long as it is one.
 */
export function identityOf(path: string): string {
  try {
    const stat = lstatSync(path, { bigint: true })
    if (stat.isDirectory()) return `directory ${stat.mode}`
    return stat.isSymbolicLink() ? `link ${readlinkSync(path)} ${version(stat)}` : version(stat)
  } catch {
    // Not there, or not ours to look at, which can be mended as well.
    return 'absent'
  }
}

// The time of the last change of the inode tells more than that of the content, which programs can set.
function version({ dev, ino, mtimeNs, ctimeNs, size, mode }: BigIntStats): string {
  return [dev, ino, mtimeNs, ctimeNs, size, mode].join(' ')
}
