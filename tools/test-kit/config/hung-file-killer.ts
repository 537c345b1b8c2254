import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Reporter, TestModule } from 'vitest/node'

const MAX_FILE_MS = 10 * 60_000
const CHECK_EVERY_MS = 5_000

/**
 * Kills the process of a test file that runs for more than ten minutes, and names the file. Vitest's own time limits
 * need the event loop of that process: a loop without an end, in a test or in what it tests, would hang the whole run.
 */
export default class HungFileKiller implements Reporter {
  readonly #processes = new Map<ChildProcess, number>()
  readonly #files = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  onTestRunStart(): void {
    subscribe('child_process', this.#noteProcess)
    this.#timer = setInterval(() => this.#killOld(), CHECK_EVERY_MS).unref()
  }

  onTestModuleQueued({ moduleId }: TestModule): void {
    this.#files.set(moduleId, performance.now())
  }

  onTestModuleEnd({ moduleId }: TestModule): void {
    this.#files.delete(moduleId)
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer)
    unsubscribe('child_process', this.#noteProcess)
    this.#processes.clear()
    this.#files.clear()
  }

  readonly #noteProcess = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess }
    this.#processes.set(child, performance.now())
    child.once('exit', () => this.#processes.delete(child))
  }

  #killOld(): void {
    const oldest = performance.now() - MAX_FILE_MS
    const files = [...this.#files].filter(([, at]) => at <= oldest).map(([file]) => file)
    if (files.length === 0) return
    for (const [child, startedAt] of this.#processes) {
      // Each file has a process of its own; this process has others, such as esbuild's, that live as long as it does.
      if (startedAt > oldest || !child.spawnargs.some((arg) => arg.includes('forks'))) continue
      process.stderr.write(
        `A test file ran for more than ${MAX_FILE_MS / 60_000} minutes, and its process was killed: ${files.join(', ')}\n`,
      )
      child.kill('SIGKILL')
    }
  }
}
