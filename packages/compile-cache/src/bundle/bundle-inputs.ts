import { readFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import type { Metafile } from 'esbuild'
import { realPathOf } from './real-path.js'

/** The places in the file system that decided what a bundle contains. */
export interface BundleInputs {
  /** Files that are part of the bundle, as absolute paths, sorted. */
  inputs: string[]
  /** Files whose content, or absence, matters: the inputs, and configuration above them. */
  files: Set<string>
  /**
   * Directories whose names matter, because another file there could win over the one that was found:
   * all names, or those that begin with one of the stems.
   */
  directories: Map<string, Set<string> | 'all'>
  /** Paths that may be, or become, a symbolic link: installed packages, and directories imported through. */
  links: Set<string>
}

/** esbuild's name for a module that a package replaces with nothing. */
const DISABLED = '(disabled):'

const TYPESCRIPT_CONFIGS = ['tsconfig.json', 'jsconfig.json']
const CONFIGURATION = [
  'package.json',
  ...TYPESCRIPT_CONFIGS,
  '.pnp.cjs',
  '.pnp.js',
  '.pnp.data.json',
]

/** The files of a bundle as absolute paths, sorted. */
export function inputsOf(metafile: Metafile, rootDir: string): string[] {
  return Object.keys(metafile.inputs)
    .filter((input) => !input.startsWith(DISABLED))
    .map((input) => resolve(rootDir, input))
    .sort()
}

/**
 * What decided the contents of a bundle. esbuild tells the files that it took, not those that it looked
 * for, so this follows its resolution: another file beside the one found, another package nearer by,
 * another target of a link, other configuration.
 *
 * @param entry absolute path of the entry
 * @returns undefined when that cannot be told (path aliases, globs, inputs that are not plain files)
 */
export function traceBundleInputs(
  metafile: Metafile,
  rootDir: string,
  entry: string,
): BundleInputs | undefined {
  const inputs = inputsOf(metafile, rootDir)
  const traced: BundleInputs = {
    inputs,
    files: new Set(inputs),
    directories: new Map(),
    links: new Set(),
  }
  addStem(traced, entry)
  for (const directory of new Set(inputs.map(dirname))) addAncestors(traced, directory)
  for (const [name, { imports }] of Object.entries(metafile.inputs)) {
    if (name.startsWith(DISABLED)) continue
    const directory = dirname(resolve(rootDir, name))
    for (const { path, original = path } of imports) {
      if (path.includes('*')) return undefined
      if (/^\.{0,2}\//.test(original)) addRelative(traced, resolve(directory, original))
      else addPackage(traced, directory, original, resolve(rootDir, path))
    }
  }
  return followTypeScriptConfigs(traced) ? traced : undefined
}

/** Configuration above a directory, and every name within its package, where `main` may point anywhere. */
function addAncestors(traced: BundleInputs, directory: string): void {
  const nodeModules = directory.lastIndexOf('node_modules')
  for (const ancestor of ancestorsOf(directory)) {
    for (const name of CONFIGURATION) traced.files.add(join(ancestor, name))
    if (ancestor.length > nodeModules + 'node_modules'.length && nodeModules >= 0) {
      traced.directories.set(ancestor, 'all')
    }
  }
}

function addRelative(traced: BundleInputs, target: string): void {
  addStem(traced, target)
  // The target may be a directory, now or later.
  traced.files.add(join(target, 'package.json'))
  addStem(traced, join(target, 'index'))
  traced.links.add(dirname(target))
}

function addPackage(
  traced: BundleInputs,
  importerDirectory: string,
  specifier: string,
  found: string,
): void {
  const [scopeOrName, name] = specifier.split('/')
  const packageName = specifier.startsWith('@') ? `${scopeOrName}/${name}` : scopeOrName!
  for (const ancestor of ancestorsOf(importerDirectory)) {
    const installed = join(ancestor, 'node_modules', packageName)
    traced.links.add(installed)
    if (packageName !== specifier) addRelative(traced, join(ancestor, 'node_modules', specifier))
    // What lies further up could only win if this one went away.
    if (found.startsWith(`${realPathOf(installed)}${sep}`)) return
  }
}

function addStem(traced: BundleInputs, path: string): void {
  const directory = dirname(path)
  const stems = traced.directories.get(directory)
  if (stems === 'all') return
  // `./x.js` may be `x.ts`, and `./x` may be `x.tsx` or `x/`.
  const stem = path
    .slice(directory.length)
    .replace(/^[\\/]/, '')
    .split('.', 1)[0]!
  if (stem === '') traced.directories.set(directory, 'all')
  else if (stems) stems.add(stem)
  else traced.directories.set(directory, new Set([stem]))
}

/** Add what the TypeScript configurations extend; false when one of them redirects imports. */
function followTypeScriptConfigs(traced: BundleInputs): boolean {
  const configs = [...traced.files].filter((file) =>
    TYPESCRIPT_CONFIGS.some((name) => file.endsWith(name)),
  )
  // Packages are built: esbuild ignores configurations inside node_modules.
  const seen = new Set(configs.filter((file) => !file.includes('node_modules')))
  for (const file of seen) {
    const text = readIfPresent(file)
    if (text === undefined) continue
    if (/"(?:paths|baseUrl)"/.test(text)) return false
    if (!text.includes('"extends"')) continue
    const parent = /"extends"\s*:\s*"(\.[^"]*)"/.exec(text)?.[1]
    if (parent === undefined) return false
    const path = resolve(dirname(file), parent)
    for (const candidate of [path, `${path}.json`]) {
      traced.files.add(candidate)
      seen.add(candidate)
    }
  }
  return true
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The configuration files that esbuild looks for above `path`, whether they exist or not. */
export function configurationAbove(path: string): string[] {
  return ancestorsOf(dirname(path)).flatMap((ancestor) =>
    CONFIGURATION.map((name) => join(ancestor, name)),
  )
}

/** The directory itself and all above it, the nearest first. */
function ancestorsOf(directory: string): string[] {
  const parent = dirname(directory)
  return parent === directory ? [directory] : [directory, ...ancestorsOf(parent)]
}
