import { realpathSync } from 'node:fs'

/**
 * The path without symbolic links, as esbuild names files: a project reached through a link (a release
 * directory, say) has the same file names, and so the same cache keys, as through any other path.
 *
 * @returns `path` itself when nothing is there
 */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}
