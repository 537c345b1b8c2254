import { hashFields } from '../cache-key.js'
import type { CompileError } from '../errors.js'
import type { EntryFile, EntryFiles } from '../import-gate/entry-file.js'
import type { RecordedFacts } from '../import-gate/files/file-facts.js'
import type { ImportGate } from '../import-gate/import-gate.js'
import type { BundledSource, Bundler } from './bundler.js'

/** Something to build. Plain data, so that it crosses threads. */
export type BuildTask =
  /** A file with everything that it imports. */
  | { kind: 'file'; entry: EntryFile; filename: string }
  /** One source with modules of the platform. */
  | { kind: 'source'; source: string; filename: string; language: 'js' | 'ts' }
  /** One TypeScript source, of which only the types are dropped. */
  | { kind: 'types'; source: string; filename: string }

/** What came of the build of a file. */
export interface FileOutcome {
  result: FileBundle | CompileError
  /** What the build saw of the file system, failed or not. */
  facts: RecordedFacts | undefined
}

/** A bundle with what it was made of. */
export interface FileBundle extends BundledSource {
  /** Changes with every byte of code and source map. */
  digest: string
  /** The files in it: absolute paths, sorted. */
  inputs: string[]
}

/** What builds need. */
export interface BuildTools {
  bundler: Bundler
  entries: EntryFiles
}

/**
 * Build a file.
 *
 * @param maxBundleBytes bytes of all files of the bundle together; as the entries say when undefined
 */
export async function buildFile(
  { bundler, entries }: BuildTools,
  { entry, filename }: BuildTask & { kind: 'file' },
  maxBundleBytes?: number,
): Promise<FileOutcome> {
  let gate: ImportGate | undefined
  const openGate = () => {
    gate = entries.openGate(entry, maxBundleBytes)
    return gate
  }
  const result = await bundler.bundle(entry.path, filename, openGate).then(
    ({ code, sourceMap, inputs }) => {
      const digest = hashFields([code, sourceMap ?? ''])
      return { code, sourceMap, inputs, digest }
    },
    (error: CompileError) => error,
  )
  return { result, facts: gate?.facts }
}

/**
 * Build one source.
 *
 * @throws CompileError
 */
export function buildSource(
  { bundler }: BuildTools,
  task: BuildTask & { kind: 'source' | 'types' },
): Promise<BundledSource> {
  const { kind, source, filename } = task
  return kind === 'types'
    ? bundler.transpile(source, filename)
    : bundler.bundleSource(source, filename, task.language)
}
