import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether this machine can run the tests; says how to make it able to. */
export function hasRedis(): boolean {
  if (spawnSync('redis-server', ['--version']).status === 0) return true
  const how = 'redis-server is not installed: apt-get install redis-server'
  if (process.env.NEXUS_TEST_SERVERS === 'required') throw new Error(how)
  console.warn(`SKIPPED: ${how}`)
  return false
}

/** A Redis server of a test's own, on a free port, that syncs before it answers. */
export class RedisServer {
  readonly port: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'nexus-redis-'))
  readonly #settings: string[]
  #process: ChildProcess | undefined

  private constructor(port: number, settings: string[]) {
    this.port = port
    this.#settings = settings
  }

  static async start(settings = ['--appendonly', 'yes', '--appendfsync', 'always']) {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    probe.close()
    const server = new RedisServer(port, settings)
    await server.restart()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again on what it kept. */
  async restart(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory]
    this.#process = spawn('redis-server', [...own, '--save', '', ...this.#settings], {
      stdio: 'ignore',
    })
    while (!(await this.#answers())) await new Promise((resolve) => setTimeout(resolve, 20))
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

  /** A server that is still loading its file answers with an error. */
  async #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      socket.write('PING\r\n')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      return answer.toString().match(/^(\+PONG|-NOAUTH)/) !== null
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }
}
