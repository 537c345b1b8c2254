import { parentPort, workerData } from 'node:worker_threads'
import { CompileError, type CompileErrorCode, type SourceLocation } from '../errors.js'
import { EntryFiles, type EntryFilesOptions } from '../import-gate/entry-file.js'
import type { RecordedFacts } from '../import-gate/files/file-facts.js'
import type { ImportRule } from '../import-gate/import-refusal.js'
import {
  type BuildTask,
  type BuildTools,
  buildFile,
  buildSource,
  type FileBundle,
} from './build-task.js'
import { type BundledSource, Bundler } from './bundler.js'
import { EsbuildService } from './esbuild/esbuild-service.js'
import { MAX_ANSWER_BYTES } from './limits/answer-limit.js'

/** What a build thread is started with. */
export interface BuildThreadData {
  options: EntryFilesOptions
  compileTimeoutMs: number
}

/** What it answers to a task. */
export interface BuildAnswer<Result extends BundledSource> {
  result: Result | BuildFault
  facts?: RecordedFacts | undefined
}

/** A `CompileError` as plain data. */
export interface BuildFault {
  fault: CompileErrorCode
  message: string
  location: SourceLocation | undefined
  rule: ImportRule | undefined
}

const port = parentPort
if (port) {
  const { options, compileTimeoutMs } = workerData as BuildThreadData
  const tools: BuildTools = {
    bundler: new Bundler(
      new EsbuildService(compileTimeoutMs, MAX_ANSWER_BYTES.own),
      options.rootDir,
    ),
    entries: new EntryFiles(options),
  }
  port.on('message', async (task: BuildTask) => port.postMessage(await answerTo(task, tools)))
}

async function answerTo(
  task: BuildTask,
  tools: BuildTools,
): Promise<BuildAnswer<FileBundle | BundledSource>> {
  if (task.kind !== 'file') return { result: await buildSource(tools, task).catch(faultOf) }
  const { result, facts } = await buildFile(tools, task)
  return { result: result instanceof CompileError ? faultOf(result) : result, facts }
}

function faultOf({ code, message, location, rule }: CompileError): BuildFault {
  return { fault: code, message, location, rule }
}
