/// <reference lib="es2024.sharedmemory" />
import { threadId } from 'node:worker_threads'

const DEFAULT_THREADS = 4
const MAX_THREADS = 1024

/** How many threads the pool of libuv has in this process, as libuv reads it. */
function threadPoolSize(): number {
  const named = process.env.UV_THREADPOOL_SIZE
  if (named === undefined) return DEFAULT_THREADS
  return Math.min(Math.max(Number.parseInt(named, 10) || 1, 1), MAX_THREADS)
}

let shared: SharedArrayBuffer | undefined

/**
 * The slots that all sandboxes of the process share: one fewer than its thread pool has threads, so that files, names and
 * compression of the program itself always find one. The first word counts releases; each other one is a slot, which
 * holds its owner.
 */
export function threadPoolSlots(): SharedArrayBuffer {
  shared ??= new SharedArrayBuffer(threadPoolSize() * Int32Array.BYTES_PER_ELEMENT)
  return shared
}

/** Gives back what a thread that was ended had taken. Its work on the thread pool is done: Node waits for that. */
export function releaseSlotsOf(owner: number, buffer: SharedArrayBuffer = threadPoolSlots()): void {
  const words = new Int32Array(buffer)
  for (let slot = 1; slot < words.length; slot++) {
    if (Atomics.compareExchange(words, slot, ownerWord(owner), 0) === ownerWord(owner))
      announce(words)
  }
}

/** The main thread has the id 0, which means a free slot here. */
function ownerWord(id: number): number {
  return id + 1
}

function announce(words: Int32Array): void {
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
}

/** Lets the work of guests onto the thread pool of the process, as far as there are slots. */
export class ThreadPoolGate {
  readonly #words: Int32Array
  /** What waits for a slot, oldest first: told that one may be free, each answers whether it took it. */
  readonly #queue: (() => Promise<void> | undefined)[] = []
  #listening = false

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  /** Whether the pool is large enough for guests to have a part of it. */
  get isOpen(): boolean {
    return this.#words.length > 1
  }

  /**
   * Does work when a slot is free, in the order of asking on this thread.
   *
   * @param isWanted asked when its turn comes: what is not wanted any more is dropped
   * @returns when it is done, or was dropped
   */
  enter(work: () => Promise<void>, isWanted: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(() => {
        if (isWanted()) return work().finally(resolve)
        resolve()
        return undefined
      })
      this.#drain()
    })
  }

  #drain(): void {
    while (this.#queue.length > 0) {
      const seen = Atomics.load(this.#words, 0)
      const slot = this.#take()
      if (slot === undefined) {
        this.#listen(seen)
        return
      }
      const working = this.#queue.shift()!()
      if (working) void working.finally(() => this.#release(slot))
      else this.#give(slot)
    }
  }

  #take(): number | undefined {
    for (let slot = 1; slot < this.#words.length; slot++) {
      if (Atomics.compareExchange(this.#words, slot, 0, ownerWord(threadId)) === 0) return slot
    }
    return undefined
  }

  #give(slot: number): void {
    Atomics.store(this.#words, slot, 0)
    announce(this.#words)
  }

  #release(slot: number): void {
    this.#give(slot)
    this.#drain()
  }

  /** Waits, without blocking the thread, until a slot was released after `seen` was read. */
  #listen(seen: number): void {
    if (this.#listening) return
    this.#listening = true
    const { value } = Atomics.waitAsync(this.#words, 0, seen)
    void Promise.resolve(value).then(() => {
      this.#listening = false
      this.#drain()
    })
  }
}
