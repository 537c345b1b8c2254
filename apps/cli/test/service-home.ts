import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ServiceStatus } from '@nexus/process-manager'
import { onTestFinished } from 'vitest'
import { type LongCommand, nexus, nexusUntilStopped, type Outcome } from './nexus.js'

/** Services as users write them. */
const scripts = {
  'web.mjs': `import { createServer } from 'node:http'
    console.log('web begins')
    createServer((request, response) => {
      response.statusCode = request.url === '/health' ? Number(process.env.HEALTH ?? 200) : 200
      response.end(JSON.stringify({ pid: process.pid, greeting: process.env.GREETING, args: process.argv.slice(2), cwd: process.cwd() }))
    }).listen(process.env.PORT, '127.0.0.1')`,
  'idle.mjs': 'setInterval(() => {}, 1000)',
  'deaf.mjs': 'setInterval(() => {}, 1000) // has a port and never listens on it',
  'throws.mjs': `throw new TypeError('no config')`,
  'lazy.mjs': `import { existsSync } from 'node:fs'
    const look = setInterval(() => {
      if (!existsSync(process.env.GO)) return
      clearInterval(look)
      process.send('ready')
      setInterval(() => {}, 1000)
    }, 10)`,
  'talks.mjs': `for (let n = 0; n < 20; n++) console.log('line ' + n)
    console.error('bad \\u001b[31mcolour')
    let n = 20
    setInterval(() => console.log('line ' + n++), 20)`,
}

/** A home for services of one test; its daemon and services are gone when the test is. */
export class ServiceHome {
  readonly path = mkdtempSync(join(tmpdir(), 'nexus-services-'))
  readonly #env: Record<string, string>

  constructor(env: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(this.path, name), text)
    // Everything that is started inherits it: that is how it is found.
    const mark = randomUUID()
    this.#env = {
      NEXUS_HOME: join(this.path, 'home'),
      PM2_HOME: join(this.path, 'pm2'),
      NEXUS_TEST_SERVICES: mark,
      ...env,
    }
    onTestFinished(async () => {
      for (;;) {
        const running = processesWith(`NEXUS_TEST_SERVICES=${mark}`)
        for (const pid of running) kill(pid)
        if (running.length === 0) break
        await pause(25)
      }
      rmSync(this.path, { recursive: true, force: true })
    }, 60_000)
  }

  script(name: keyof typeof scripts): string {
    return join(this.path, name)
  }

  /** Runs `nexus service …` to its end. */
  run(...args: string[]): Promise<Outcome> {
    return nexus(['service', ...args], { cwd: this.path, env: this.#env })
  }

  /** Starts a `nexus service …` that is to be stopped, or killed. */
  launch(...args: string[]): LongCommand {
    return nexusUntilStopped(['service', ...args], { cwd: this.path, env: this.#env })
  }

  /** What `--json` of a command says. */
  async json<T = ServiceStatus[]>(...args: string[]): Promise<T> {
    const { stdout } = await this.run(...args, '--json')
    return JSON.parse(stdout) as T
  }

  /** Sends a signal to the daemon. */
  signalDaemon(signal: NodeJS.Signals): void {
    const file = readFileSync(join(this.path, 'home/services/status.json'), 'utf8')
    process.kill((JSON.parse(file) as { daemon: { pid: number } }).daemon.pid, signal)
  }
}

function processesWith(mark: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        const dead = /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
        return !dead && readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)
      } catch {
        return false
      }
    })
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
