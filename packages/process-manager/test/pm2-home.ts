import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A PM2 of a test's own: its directory, its daemons and what they run. */
export class Pm2Home {
  readonly path = mkdtempSync(join(tmpdir(), 'nexus-pm2-'))

  /** Every daemon of this home that runs, those PM2 has lost sight of too. */
  daemons(): number[] {
    const { stdout } = spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    return stdout
      .split('\n')
      .filter((line) => line.includes(`God Daemon (${this.path})`))
      .map((line) => Number.parseInt(line, 10))
  }

  /** Sends a signal to the only daemon. */
  signal(signal: NodeJS.Signals): void {
    const [daemon] = this.daemons()
    if (daemon === undefined) throw new Error('expected a daemon to run')
    process.kill(daemon, signal)
  }

  /** Kills all of it. */
  remove(): void {
    for (const pid of [...this.daemons(), ...this.#services()]) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10 })
  }

  #services(): number[] {
    const directory = join(this.path, 'pids')
    try {
      return readdirSync(directory).map((file) =>
        Number(readFileSync(join(directory, file), 'utf8')),
      )
    } catch {
      return []
    }
  }
}
