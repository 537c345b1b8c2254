import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A PM2 of a test's own: its directory, its daemons and what they run. */
export class Pm2Home {
  readonly path = mkdtempSync(join(tmpdir(), 'nexus-pm2-'))

  /** Every daemon of this home that runs, those PM2 has lost sight of too. */
  daemons(): number[] {
    return [...commandLines()]
      .filter(([, line]) => line.includes(`God Daemon (${this.path})`))
      .map(([pid]) => pid)
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

/** What runs on this machine; from `/proc` where it is, because a bare Debian has no `ps`. */
function commandLines(): Map<number, string> {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return new Map(pids.map((pid) => [Number(pid), commandLine(pid)]))
  }
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
  return new Map(stdout.split('\n').map((line) => [Number.parseInt(line, 10), line]))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
