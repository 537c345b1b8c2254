import { createHash } from 'node:crypto'
import { type Dirent, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type BundleInputs, configurationAbove } from './bundle-inputs.js'

/** What a bundle was made of, so that a later start can tell without esbuild that nothing changed. */
export interface BundleRecord {
  /** The key of the bundle's artifact. */
  cacheKey: string
  inputs: string[]
  files: [path: string, print: string][]
  directories: [path: string, stems: string[] | 'all', print: string][]
  links: [path: string, print: string][]
}

/**
 * A change later than this before the build began might have come while esbuild read the files: file
 * systems keep times as coarse as two seconds.
 */
const SETTLED_MS = 2500

/** Paths looked at before other work gets a turn. */
const SLICE = 64

const ABSENT = ''

/** What was known before a build began. */
export interface BuildStart {
  /** Epoch milliseconds. */
  atMs: number
  /** The prints of the configuration above the entry. */
  configuration: ReadonlyMap<string, string>
}

/** Take note of the state before a build of `entry`. */
export function startOfBuild(entry: string, nowMs: number): BuildStart {
  const files = configurationAbove(entry)
  return { atMs: nowMs, configuration: new Map(files.map((file) => [file, printFile(file)])) }
}

/**
 * Take the prints of everything that decided a bundle.
 *
 * @returns undefined when something changed so lately that the bundle may not have seen it
 */
export async function recordBundle(
  traced: BundleInputs,
  cacheKey: string,
  start: BuildStart,
): Promise<BundleRecord | undefined> {
  const files = [...traced.files]
  const directories = [...traced.directories]
  const links = [...traced.links]
  const record: BundleRecord = {
    cacheKey,
    inputs: traced.inputs,
    files: await inSlices(files, (path) => [path, printFile(path)]),
    directories: await inSlices(directories, ([path, stems]) => {
      const list = stems === 'all' ? stems : [...stems].sort()
      return [path, list, printDirectory(path, list)]
    }),
    links: await inSlices(links, (path) => [path, printLink(path)]),
  }
  const inputs = new Set(traced.inputs)
  const trusted = record.files.every(([path, print]) => {
    if (inputs.has(path)) return print !== ABSENT
    return print === (start.configuration.get(path) ?? print)
  })
  if (!trusted) return undefined
  const absentAsBefore = (path: string) => start.configuration.get(path) === ABSENT
  const places = [...files, ...directories.map(([path]) => path), ...links]
  const settled = await inSlices(
    places,
    (path) => absentAsBefore(path) || changedAt(path) < start.atMs - SETTLED_MS,
  )
  return settled.every(Boolean) ? record : undefined
}

/** Whether everything is still as it was recorded. */
export async function isCurrent(record: BundleRecord): Promise<boolean> {
  const checks: (() => boolean)[] = [
    ...record.links.map(
      ([path, print]) =>
        () =>
          printLink(path) === print,
    ),
    ...record.directories.map(
      ([path, stems, print]) =>
        () =>
          printDirectory(path, stems) === print,
    ),
    ...record.files.map(
      ([path, print]) =>
        () =>
          printFile(path) === print,
    ),
  ]
  for (let at = 0; at < checks.length; at += SLICE) {
    if (at > 0) await setImmediate()
    if (!checks.slice(at, at + SLICE).every((check) => check())) return false
  }
  return true
}

async function inSlices<T, U>(items: readonly T[], map: (item: T) => U): Promise<U[]> {
  const mapped: U[] = []
  for (let at = 0; at < items.length; at += SLICE) {
    if (at > 0) await setImmediate()
    for (const item of items.slice(at, at + SLICE)) mapped.push(map(item))
  }
  return mapped
}

// Synchronous, since a call that finds the page cache takes microseconds and a promise for it ten times that.

function printFile(path: string): string {
  try {
    return hash(readFileSync(path))
  } catch {
    return ABSENT
  }
}

function printDirectory(path: string, stems: string[] | 'all'): string {
  let entries: Dirent[]
  try {
    entries = readdirSync(path, { withFileTypes: true })
  } catch {
    return ABSENT
  }
  const stemSet = stems === 'all' ? undefined : new Set(stems)
  const wanted = entries.filter(({ name }) => stemSet?.has(name.split('.', 1)[0]!) ?? true)
  const lines = wanted.map((entry) => {
    if (entry.isSymbolicLink()) return `${entry.name}\0${printLink(join(path, entry.name))}`
    return entry.isDirectory() ? `${entry.name}/` : entry.name
  })
  return hash(lines.sort().join('\n'))
}

function printLink(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return ABSENT
  }
}

/** When the place, or what it would be in, last changed, by the change time, which tools cannot set back. */
function changedAt(path: string): number {
  try {
    return Math.max(lstatSync(path).ctimeMs, statSync(path).ctimeMs)
  } catch {
    return changedAt(dirname(path))
  }
}

function hash(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64url')
}
