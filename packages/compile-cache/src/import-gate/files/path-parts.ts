import { relative, sep } from 'node:path'

/** Whether `path` is `directory` or lies below it; both absolute and normalised. */
export function isWithin(directory: string, path: string): boolean {
  return (
    path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)
  )
}

/** The names from `directory` down to `path`, which lies within it. */
export function partsBelow(directory: string, path: string): string[] {
  return relative(directory, path)
    .split(sep)
    .filter((part) => part !== '')
}
