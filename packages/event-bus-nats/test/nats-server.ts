import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether this machine can run the tests; says how to make it able to. */
export function hasNats(): boolean {
  if (spawnSync('nats-server', ['--version']).status === 0) return true
  const how = 'nats-server is not installed: apt-get install nats-server'
  if (process.env.NEXUS_TEST_SERVERS === 'required') throw new Error(how)
  console.warn(`SKIPPED: ${how}`)
  return false
}

/** A NATS server with JetStream of a test's own, on a free port. */
export class NatsServer {
  readonly port: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'nexus-nats-'))
  readonly #settings: string[]
  #process: ChildProcess | undefined

  private constructor(port: number, settings: string[]) {
    this.port = port
    this.#settings = settings
  }

  static async start(settings: string[] = []): Promise<NatsServer> {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    probe.close()
    const server = new NatsServer(port, settings)
    await server.restart()
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  /** Starts it again on what it kept. */
  async restart(): Promise<void> {
    const own = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.#directory]
    this.#process = spawn('nats-server', [...own, ...this.#settings], { stdio: 'ignore' })
    while (!(await this.#listens())) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  async kill(): Promise<void> {
    const child = this.#process!
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #listens(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return true
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }
}
