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
  readonly #held = new Map<string, { consumer: GuardedConsumer; claims: string[] }>()
  readonly #released = new Map<string, { id: string; claims: string[] }>()
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

  /** Notes a claim; `flush` before it is handled. */
  hold(consumer: GuardedConsumer, claim: string): void {
    this.#claims += 1
    const noted = this.#held.get(consumer.id)
    if (noted === undefined) this.#held.set(consumer.id, { consumer, claims: [claim] })
    else noted.claims.push(claim)
  }

  /** A claim is settled; told with the next ones that are held, or when there are none left. */
  release(consumer: GuardedConsumer, claim: string): void {
    this.#claims -= 1
    const untold = this.#held.get(consumer.id)
    if (untold?.claims.includes(claim)) {
      untold.claims.splice(untold.claims.indexOf(claim), 1)
      return
    }
    const noted = this.#released.get(consumer.id)
    if (noted === undefined) this.#released.set(consumer.id, { id: consumer.id, claims: [claim] })
    else noted.claims.push(claim)
    if (this.#claims === 0) this.#send()
  }

  /** The loop turns. */
  beat(): void {
    Atomics.store(this.#beat, 0, process.hrtime.bigint() / 1_000_000n)
  }

  /** Tells the thread what it has to keep from now on. */
  flush(): void {
    if (this.#held.size > 0) this.#send()
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
      held: [...this.#held.values()],
      released: [...this.#released.values()],
    })
    this.#held.clear()
    this.#released.clear()
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
