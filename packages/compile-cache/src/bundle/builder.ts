import { CompileError } from '../errors.js'
import type { EntryFile, EntryFiles } from '../import-gate/entry-file.js'
import type { RecordedFacts } from '../import-gate/files/file-facts.js'
import type { ResolvedCompilerOptions } from '../options.js'
import { TaskEnded, TaskThread } from '../task-thread.js'
import { BUILD_WORKER_URL } from '../worker-url.js'
import {
  type BuildTask,
  buildFile,
  buildSource,
  type FileBundle,
  type FileOutcome,
} from './build-task.js'
import type { BuildAnswer, BuildFault, BuildThreadData } from './build-worker.js'
import { type BundledSource, Bundler } from './bundler.js'
import { EsbuildService } from './esbuild/esbuild-service.js'

/** Bytes of source that are built on the calling thread. */
const MAX_BYTES_HERE = 512 * 1024

/**
 * Builds on this thread what is small, and on a worker thread what would hold it up: reading what esbuild answers takes as
 * long as the answer is large.
 */
export class Builder {
  readonly #bundler: Bundler
  readonly #entries: EntryFiles
  readonly #maxBundleBytes: number
  readonly #thread: TaskThread<BuildTask>

  constructor(options: ResolvedCompilerOptions, entries: EntryFiles) {
    const { rootDir, cacheDir, privatePaths, maxFileBytes, maxBundleBytes, compileTimeoutMs } =
      options
    this.#bundler = new Bundler(new EsbuildService(compileTimeoutMs), rootDir)
    this.#entries = entries
    this.#maxBundleBytes = maxBundleBytes
    const data: BuildThreadData = {
      options: { rootDir, cacheDir, privatePaths, maxFileBytes, maxBundleBytes },
      compileTimeoutMs,
    }
    // Each run of esbuild has its own time, and what the thread does beside is bounded in bytes and steps.
    this.#thread = new TaskThread({
      url: BUILD_WORKER_URL,
      name: 'nexus-build',
      workerData: async () => data,
    })
  }

  /** What the output depends on, apart from the sources. Reading it does not load esbuild. */
  get version(): string {
    return this.#bundler.version
  }

  /** Bundle a file and everything that it imports. */
  async bundle(entry: EntryFile, filename: string): Promise<FileOutcome> {
    const task = { kind: 'file', entry, filename } as const
    const tools = { bundler: this.#bundler, entries: this.#entries }
    // How much it is shows only while it is read.
    const here = await buildFile(tools, task, Math.min(MAX_BYTES_HERE, this.#maxBundleBytes))
    if (!this.#isTooMuchHere(here)) return here
    const { result, facts } = await this.#onThread<FileBundle>(task)
    // Where the thread ended, at least what led to it is known.
    return { result, facts: facts ?? here.facts }
  }

  /**
   * Drop the types of one TypeScript source.
   *
   * @throws CompileError
   */
  transpile(source: string, filename: string): Promise<BundledSource> {
    return this.#buildSource({ kind: 'types', source, filename })
  }

  /**
   * Bundle one source with the modules of the platform; it can import no other.
   *
   * @throws CompileError
   */
  bundleSource(source: string, filename: string, language: 'js' | 'ts'): Promise<BundledSource> {
    return this.#buildSource({ kind: 'source', source, filename, language })
  }

  /** End the worker thread, whose builds fail. */
  async close(): Promise<void> {
    await this.#thread.close()
  }

  #isTooMuchHere({ result }: FileOutcome): boolean {
    return (
      this.#maxBundleBytes > MAX_BYTES_HERE &&
      result instanceof CompileError &&
      result.rule === 'bundle-size'
    )
  }

  async #buildSource(task: BuildTask & { kind: 'source' | 'types' }): Promise<BundledSource> {
    const tools = { bundler: this.#bundler, entries: this.#entries }
    if (task.source.length <= MAX_BYTES_HERE) return buildSource(tools, task)
    const { result } = await this.#onThread<BundledSource>(task)
    if (result instanceof CompileError) throw result
    return result
  }

  async #onThread<Result extends BundledSource>(
    task: BuildTask,
  ): Promise<{ result: Result | CompileError; facts?: RecordedFacts | undefined }> {
    try {
      const { result, facts } = await this.#thread.run<BuildAnswer<Result>>(task)
      return { result: 'fault' in result ? errorOf(result) : result, facts }
    } catch (error) {
      if (error instanceof CompileError) return { result: error }
      if (!(error instanceof TaskEnded)) throw error
      const why = `Cannot compile ${task.filename}: ${error.message}`
      return { result: new CompileError('RESOURCE_LIMIT', why) }
    }
  }
}

function errorOf({ fault, message, location, rule }: BuildFault): CompileError {
  return new CompileError(fault, message, { location, rule })
}
