import { describeThrown } from '@nexus/diagnostics'
import { EventBusError } from '../../errors.js'
import type { LogEngine } from '../log-engine.js'
import type { Transaction } from './transaction.js'

/** More changes than this go into the next commit, so that a long queue does not become one long stall. */
const MAX_WRITES_PER_COMMIT = 20_000

interface Operation {
  plan(transaction: Transaction): void
  committed(): void
  failed(error: unknown): void
}

/** Lets everything that was asked for while a commit was under way share the next one. */
export class CommitQueue {
  readonly #engine: LogEngine
  readonly #newTransaction: () => Transaction
  readonly #onCommitted: (transaction: Transaction) => void
  #waiting: Operation[] = []
  #running: Promise<void> | undefined
  #commits = 0

  constructor(
    engine: LogEngine,
    newTransaction: () => Transaction,
    onCommitted: (transaction: Transaction) => void,
  ) {
    this.#engine = engine
    this.#newTransaction = newTransaction
    this.#onCommitted = onCommitted
  }

  get commits(): number {
    return this.#commits
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Plans a change in the next commit. `plan` must not throw after its first write. */
  run<T>(plan: (transaction: Transaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let value: T
      this.#waiting.push({
        plan: (transaction) => {
          value = plan(transaction)
        },
        committed: () => resolve(value),
        failed: reject,
      })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when everything asked for so far is committed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #drain(): Promise<void> {
    // Whatever is asked for in this turn of the event loop joins the first commit.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#commitOnce()
    this.#running = undefined
  }

  async #commitOnce(): Promise<void> {
    const transaction = this.#newTransaction()
    const operations: Operation[] = []
    let taken = 0
    for (const operation of this.#waiting) {
      if (transaction.size >= MAX_WRITES_PER_COMMIT) break
      taken += 1
      try {
        operation.plan(transaction)
        operations.push(operation)
      } catch (error) {
        operation.failed(error)
      }
    }
    this.#waiting = this.#waiting.slice(taken)
    try {
      const writes = transaction.finish()
      if (writes.length > 0) {
        await this.#engine.commit(writes)
        this.#commits += 1
      }
      this.#onCommitted(transaction)
      for (const after of transaction.afterCommit) after()
      for (const operation of operations) operation.committed()
    } catch (cause) {
      const error = cause instanceof EventBusError ? cause : writeFailure(cause)
      for (const operation of operations) operation.failed(error)
    }
  }
}

function writeFailure(cause: unknown): EventBusError {
  return new EventBusError(
    'STORE_FAILED',
    `the log could not be written, nothing of this commit was stored: ${describeThrown(cause).message}; check the disk's free space and permissions`,
    { cause },
  )
}
