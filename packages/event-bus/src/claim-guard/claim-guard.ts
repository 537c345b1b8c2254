import { Worker } from 'node:worker_threads'
import type { GuardData, GuardedConsumer } from './guard-message.js'

/**
 * Keeps the claims of a process whose event loop is blocked, from a thread with a connection of its own. The
 * thread is started with the first claim, and connects when the loop is first found to be silent.
 */
export class ClaimGuard {
  readonly #workerUrl: URL
  readonly #options: unknown
  readonly #onError: (error: Error) => void
  readonly #beat = new BigInt64Array(new SharedArrayBuffer(8))
  readonly #added = new Map<string, { consumer: GuardedConsumer; claims: string[] }>()
  readonly #removed = new Map<string, { id: string; claims: string[] }>()
  #claims = 0
  #worker: Worker | undefined
  #closed = false

  /**
   * @param workerUrl a program that calls `guardClaims`
   * @param options for that program; what structured cloning can copy
   * @param onError hears that the thread failed, and with it the protection
   */
  constructor(workerUrl: URL, options: unknown, onError: (error: Error) => void) {
    this.#workerUrl = workerUrl
    this.#options = options
    this.#onError = onError
  }

  /** Takes a claim; call `flush` before it is handled. */
  add(consumer: GuardedConsumer, claim: string): void {
    this.#claims += 1
    const noted = this.#added.get(consumer.id)
    if (noted === undefined) this.#added.set(consumer.id, { consumer, claims: [claim] })
    else noted.claims.push(claim)
  }

  /** A claim is settled. The thread hears of it with the next ones that are added, or when there are none left. */
  remove(consumer: GuardedConsumer, claim: string): void {
    this.#claims -= 1
    const unsent = this.#added.get(consumer.id)
    if (unsent?.claims.includes(claim)) {
      unsent.claims.splice(unsent.claims.indexOf(claim), 1)
      return
    }
    const noted = this.#removed.get(consumer.id)
    if (noted === undefined) this.#removed.set(consumer.id, { id: consumer.id, claims: [claim] })
    else noted.claims.push(claim)
    if (this.#claims === 0) this.#send()
  }

  /** The loop turns. */
  beat(): void {
    Atomics.store(this.#beat, 0, process.hrtime.bigint() / 1_000_000n)
  }

  /** Tells the thread what it has to keep from now on. */
  flush(): void {
    if (this.#added.size > 0) this.#send()
  }

  /** Ends the thread by a message: terminating one that is just starting can crash Node 20. */
  async close(): Promise<void> {
    this.#closed = true
    const worker = this.#worker
    if (worker === undefined || worker.threadId === -1) return
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.ref()
    worker.postMessage('close')
    await exited
  }

  #send(): void {
    if (this.#closed) return
    this.beat()
    this.#worker ??= this.#start()
    this.#worker.postMessage({
      added: [...this.#added.values()],
      removed: [...this.#removed.values()],
    })
    this.#added.clear()
    this.#removed.clear()
  }

  #start(): Worker {
    const workerData: GuardData = {
      beat: this.#beat.buffer as SharedArrayBuffer,
      options: this.#options,
    }
    const worker = new Worker(this.#workerUrl, { workerData, execArgv: [], name: 'nexus-claims' })
    worker.unref()
    worker.on('error', (cause) => {
      this.#closed = true
      this.#onError(
        new Error(
          `the thread that keeps claims while the event loop is blocked failed: ${cause.message}; claims lapse in a loop that is blocked for longer than ackWaitMs`,
          { cause },
        ),
      )
    })
    return worker
  }
}
