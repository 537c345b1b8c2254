import { realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'

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

/** The name of a file in errors and source maps: relative to the project, the same on every machine. */
export function nameOf(rootDir: string, path: string): string {
  return relative(rootDir, path).split(sep).join('/')
}
