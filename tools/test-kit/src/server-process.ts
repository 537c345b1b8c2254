import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'

/** How a server is run. */
export interface ServerSetup {
  command: string
  args(port: number, directory: string): string[]
  /** Whether it serves requests by now. */
  answers(port: number): Promise<boolean>
}

/** Another process may take a free port before the server does. */
const PORTS_TO_TRY = 5

/** A server of a test's own: on a free port, with its files in a directory that goes with it. */
export class ServerProcess {
  readonly port: number
  readonly directory: string
  readonly #setup: ServerSetup
  #process: ChildProcess | undefined

  private constructor(setup: ServerSetup, port: number, directory: string) {
    this.port = port
    this.directory = directory
    this.#setup = setup
  }

  static async start(setup: ServerSetup): Promise<ServerProcess> {
    for (let left = PORTS_TO_TRY; ; left--) {
      const directory = mkdtempSync(join(tmpdir(), `nexus-test-server-`))
      const server = new ServerProcess(setup, await freePort(), directory)
      try {
        await server.restart()
        return server
      } catch (error) {
        rmSync(directory, { recursive: true, force: true })
        if (left === 1) throw error
      }
    }
  }

  /** Where it listens, as `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Starts it again on what it kept. */
  async restart(): Promise<void> {
    const { command, args, answers } = this.#setup
    const child = spawn(command, args(this.port, this.directory), { stdio: 'ignore' })
    this.#process = child
    while (!(await answers(this.port))) {
      if (child.exitCode !== null) {
        throw new Error(`${command} ended with code ${child.exitCode} on port ${this.port}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Whether a test can start this program; says how to make it able to, and fails where it must be. */
export function hasProgram(command: string, how: string): boolean {
  if (spawnSync(command, ['--version']).status === 0) return true
  const message = `${command} is not installed: ${how}`
  if (process.env.NEXUS_TEST_SERVERS === 'required') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return false
}
