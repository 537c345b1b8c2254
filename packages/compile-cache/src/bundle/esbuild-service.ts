import type * as Esbuild from 'esbuild'
import { CompileError } from '../errors.js'

type Work<T> = (esbuild: typeof Esbuild) => Promise<T>

/**
 * Runs esbuild, which is loaded with the first use. esbuild is one child process that every caller shares;
 * a source nested deeply enough crashes it, for everyone and for good. So work that a crash or an overrun
 * interrupted is run once more, one at a time, and only the work that takes esbuild down by itself fails.
 */
export class EsbuildService {
  readonly #timeoutMs: number
  #retries: Promise<unknown> = Promise.resolve()

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
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
      throw new CompileError('RESOURCE_LIMIT', 'it crashed esbuild: is it nested too deeply?', {
        cause: error,
      })
    })
  }

  async #attempt<T>(work: Work<T>): Promise<T> {
    const esbuild = await import('esbuild')
    let timer: NodeJS.Timeout | undefined
    let late = false
    const overrun = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true
        reject(
          new CompileError(
            'RESOURCE_LIMIT',
            `bundling it took longer than ${this.#timeoutMs} ms (compileTimeoutMs)`,
          ),
        )
      }, this.#timeoutMs)
    })
    try {
      return await Promise.race([work(esbuild), overrun])
    } catch (error) {
      // A stopped service starts again with its next use; a crashed one only after stop().
      if (late || isServiceLoss(error)) await esbuild.stop()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

/** esbuild has no code for this. */
function isServiceLoss(error: unknown): boolean {
  return (
    error instanceof Error && /^The service (was stopped|is no longer running)/.test(error.message)
  )
}
