import { type ChildProcess, execFile } from 'node:child_process'
import { processIdentity } from '../../../process-identity.js'
import type { HostMessage, ParentMessage } from '../../../warm-pool/host-messages.js'

/** How a process ended; both are null where only its absence was seen. */
export interface Exit {
  code: number | null
  signal: string | null
}

/** The running process of an instance, forked by this daemon or left by the one before. */
export interface ServiceProcess {
  readonly pid: number
  readonly identity: string | null
  /** Resolves once it is gone and what it said was heard. */
  readonly exited: Promise<Exit>
  /** Null where there is no channel to it. */
  readonly send: ((message: ParentMessage, handle?: unknown) => void) | null
  /** Asks whether it works; resolves with its answer, or never. Null where there is no channel to it. */
  readonly askHealth: (() => Promise<void>) | null
  /** Asks it to end. */
  terminate(): void
  /** Signals it and everything it started that did not leave its process group. */
  signalGroup(signal: NodeJS.Signals): void
}

/** What a process said last may still be on its way when it is gone; what it started can hold the channel open. */
const DRAIN_MS = 500

export class ForkedProcess implements ServiceProcess {
  readonly pid: number
  readonly identity: string | null
  readonly exited: Promise<Exit>

  constructor(private readonly child: ChildProcess & { pid: number }) {
    this.pid = child.pid
    this.identity = processIdentity(child.pid)
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        killLeftBehind(this.pid)
        const late = setTimeout(() => drained(), DRAIN_MS)
        const drained = () => {
          clearTimeout(late)
          resolve({ code, signal })
        }
        if (child.connected) child.once('disconnect', drained)
        else drained()
      })
    })
    // A message that comes too late for a process that ends is lost, as it should be.
    child.on('error', () => {})
  }

  readonly send = (message: ParentMessage, handle?: unknown): void => {
    if (this.child.connected) this.child.send(message, handle as undefined, () => {})
  }

  readonly askHealth = (): Promise<void> =>
    new Promise((resolve) => {
      const heard = (message: HostMessage) => {
        if (message?.type !== 'nexus:healthy') return
        this.child.off('message', heard)
        resolve()
      }
      this.child.on('message', heard)
      this.send({ type: 'nexus:health' })
    })

  terminate(): void {
    if (process.platform === 'win32') this.send({ type: 'nexus:shutdown' })
    else this.child.kill('SIGTERM')
  }

  signalGroup(signal: NodeJS.Signals): void {
    if (this.child.exitCode === null && this.child.signalCode === null)
      signalGroup(this.pid, signal)
  }
}

/** How often an adopted process is looked for, for the system tells only a parent of an end. */
const LOOK_MS = 250

export class AdoptedProcess implements ServiceProcess {
  readonly exited: Promise<Exit>
  readonly send = null
  readonly askHealth = null
  #gone = false

  constructor(
    readonly pid: number,
    readonly identity: string,
  ) {
    this.exited = new Promise((resolve) => {
      const look = setInterval(() => {
        if (this.#isAlive()) return
        clearInterval(look)
        this.#gone = true
        killLeftBehind(pid)
        resolve({ code: null, signal: null })
      }, LOOK_MS)
    })
    // The daemon before may have died while it held the process back for its CPU limit.
    this.signalGroup('SIGCONT')
  }

  terminate(): void {
    if (!this.#gone && this.#isAlive()) process.kill(this.pid, 'SIGTERM')
  }

  signalGroup(signal: NodeJS.Signals): void {
    if (!this.#gone && this.#isAlive()) signalGroup(this.pid, signal)
  }

  #isAlive() {
    // Elsewhere the identity costs a command.
    if (process.platform === 'linux') return processIdentity(this.pid) === this.identity
    try {
      return process.kill(this.pid, 0)
    } catch {
      return false
    }
  }
}

/**
 * What a process started and left in its group ends with it. While its group has members the system gives the pid to no
 * other process; so where a process has it, that is a stranger, and the group is the stranger's. Windows has no groups.
 */
function killLeftBehind(pid: number) {
  if (process.platform === 'win32' || processIdentity(pid) !== null) return
  signalGroup(pid, 'SIGKILL')
}

function signalGroup(pid: number, signal: NodeJS.Signals) {
  if (process.platform === 'win32') {
    if (signal === 'SIGKILL') execFile('taskkill', ['/pid', String(pid), '/T', '/F'], () => {})
    return
  }
  try {
    process.kill(-pid, signal)
  } catch {
    // No process is left in the group.
  }
}
