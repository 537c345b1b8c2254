import { Worker } from 'node:worker_threads'
import { ExecutorError } from '../../errors.js'
import { LAYOUT_WORKER_URL } from '../../worker-url.js'
import { type CommandLayout, layOutCommand } from './command-layout.js'

/** Shorter binaries are laid out at once: that takes less than a thread takes to start. */
const INLINE_BYTES = 64 * 1024
const MAX_TIME_MS = 20_000
const MAX_HEAP_MB = 512

/** What the thread answers. */
export type LayoutAnswer =
  | { layout: CommandLayout }
  | { refusal: { code: ExecutorError['code']; message: string } }

/** What the thread is started with. */
export interface LayoutRequest {
  bytes: Uint8Array
  filename: string
}

/** One thread at a time: a program that starts with many commands starts no more than that. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Lays out a binary without holding up this thread: that goes through all of it, and an enemy may have written it.
 *
 * @param isOwned whether nothing else uses the bytes, which then change hands and are gone
 * @throws {@link ExecutorError} as `layOutCommand`, and `RESOURCE_LIMIT` when it takes too long or too much memory
 */
export async function layOutOnThread(
  bytes: Uint8Array,
  filename: string,
  isOwned: boolean,
): Promise<CommandLayout> {
  if (bytes.length <= INLINE_BYTES) return layOutCommand(bytes, filename)
  const laidOut = last.then(() => askThread({ bytes, filename }, isOwned))
  last = laidOut.catch(() => undefined)
  return laidOut
}

function askThread(request: LayoutRequest, isOwned: boolean): Promise<CommandLayout> {
  const worker = new Worker(LAYOUT_WORKER_URL, {
    workerData: request,
    execArgv: [],
    transferList: isOwned ? [request.bytes.buffer as ArrayBuffer] : [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    name: 'nexus-wasi-layout',
  })
  return new Promise<CommandLayout>((resolve, reject) => {
    const tooMuch = (what: string) =>
      reject(new ExecutorError('RESOURCE_LIMIT', `${request.filename}: checking it ${what}`))
    const timer = setTimeout(() => tooMuch(`took longer than ${MAX_TIME_MS} ms`), MAX_TIME_MS)
    worker.on('message', (answer: LayoutAnswer) => {
      if ('layout' in answer) resolve(answer.layout)
      else reject(new ExecutorError(answer.refusal.code, answer.refusal.message))
    })
    worker.on('error', (error) => tooMuch(`ended its thread: ${error.message}`))
    worker.on('exit', () => {
      clearTimeout(timer)
      tooMuch('ended its thread')
    })
  }).finally(() => worker.terminate())
}
