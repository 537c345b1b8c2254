import type * as Esbuild from 'esbuild'
import { CompileError } from '../../errors.js'
import { MAX_ANSWER_BYTES } from '../limits/answer-limit.js'
import { esbuildMemory } from '../limits/memory-limit.js'
import { limitEsbuildProcess } from './esbuild-process.js'

/**
 * The work under way with the child process that runs now. Stopping that process settles nothing that waits for its
 * answer, so who stops it tells the others. esbuild is one for the whole Node process, and so is this.
 */
let sharers = new Set<(error: Error) => void>()

/** `signal` says that the result is no longer waited for. */
type Work<T> = (esbuild: typeof Esbuild, signal: AbortSignal) => Promise<T>

/**
 * Runs esbuild, which is loaded with the first use. esbuild is one child process that every caller shares;
 * a source nested deeply enough crashes it, for everyone and for good. So work that a crash or an overrun
 * interrupted is run once more, one at a time, and only the work that takes esbuild down by itself fails.
 */
export class EsbuildService {
  readonly #timeoutMs: number
  readonly #maxAnswerBytes: number
  #retries: Promise<unknown> = Promise.resolve()

  /** @param maxAnswerBytes the same for all services of a thread */
  constructor(timeoutMs: number, maxAnswerBytes = MAX_ANSWER_BYTES.shared) {
    this.#timeoutMs = timeoutMs
    this.#maxAnswerBytes = maxAnswerBytes
  }

  /**
   * Do `work`.
   *
   * @throws CompileError RESOURCE_LIMIT when the work crashes esbuild or takes too long
   */
  async run<T>(work: Work<T>): Promise<T> {
    try {
      return await this.#attempt(work)
    } catch (error) {
      if (!isServiceLoss(error)) throw error
    }
    const retry = this.#retries.then(() => this.#attempt(work))
    this.#retries = retry.catch(() => undefined)
    return retry.catch((error: unknown) => {
      if (!isServiceLoss(error)) throw error
      const why =
        'is it nested too deeply, are there thousands of errors in one line, or does it need 1 GiB of memory?'
      throw new CompileError('RESOURCE_LIMIT', `it crashed esbuild: ${why}`, { cause: error })
    })
  }

  async #attempt<T>(work: Work<T>): Promise<T> {
    limitEsbuildProcess(this.#maxAnswerBytes)
    const esbuild = await import('esbuild')
    const together = sharers
    const ended = new AbortController()
    let timer: NodeJS.Timeout | undefined
    let interrupt!: (error: Error) => void
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = reject
      timer = setTimeout(() => reject(this.#overrun()), this.#timeoutMs)
    })
    together.add(interrupt)
    const unwatch = esbuildMemory.watch()
    try {
      return await Promise.race([work(esbuild, ended.signal), interrupted])
    } catch (error) {
      together.delete(interrupt)
      // A stopped service starts again with its next use; a crashed one only after stop().
      if (error instanceof Overrun || isServiceLoss(error)) await stopService(esbuild, together)
      throw error
    } finally {
      together.delete(interrupt)
      clearTimeout(timer)
      unwatch()
      ended.abort()
    }
  }

  #overrun(): Overrun {
    return new Overrun(
      'RESOURCE_LIMIT',
      `bundling it took longer than ${this.#timeoutMs} ms (compileTimeoutMs)`,
    )
  }
}

/** Work that took longer than it may. */
class Overrun extends CompileError {}

/** Stop the process that `together` share, unless one of them did: the next process is not theirs. */
async function stopService(
  esbuild: typeof Esbuild,
  together: Set<(error: Error) => void>,
): Promise<void> {
  if (together !== sharers) return
  sharers = new Set()
  for (const interrupt of together) interrupt(new Error(SERVICE_STOPPED))
  await esbuild.stop()
}

/** The words of esbuild, which has no code for this. */
const SERVICE_STOPPED = 'The service was stopped'

function isServiceLoss(error: unknown): boolean {
  return (
    error instanceof Error && /^The service (was stopped|is no longer running)/.test(error.message)
  )
}
