import { JetStreamApiError, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream'
import type { Names } from '../streams/names.js'

/** A loss is noticed within this time. */
const LOOK_EVERY_MS = 2_000

const STREAM_NOT_FOUND = 10059

/** What a look at the server found gone. */
export interface ServerLoss {
  /** Names of the streams that are gone, or were made again by another process. */
  streams: string[]
  /** Consumers are gone of streams that are still there. */
  consumers: boolean
}

interface Seen {
  created: string
  consumers: number
}

/** Looks regularly whether the streams of a bus are still those that were made, and keep their consumers. */
export class ServerWatch {
  readonly #manager: JetStreamManager
  readonly #names: Names
  readonly #onLoss: (loss: ServerLoss) => Promise<void>
  readonly #onError: (error: unknown) => void
  readonly #seen = new Map<string, Seen>()
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param onLoss makes again what is gone; it is called again with what it could not make */
  constructor(
    manager: JetStreamManager,
    names: Names,
    onLoss: (loss: ServerLoss) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#manager = manager
    this.#names = names
    this.#onLoss = onLoss
    this.#onError = onError
  }

  /** Looks now, and from then on regularly. */
  look(): Promise<void> {
    clearTimeout(this.#timer)
    this.#looking ??= this.#look()
      .catch(this.#onError)
      .finally(() => {
        this.#looking = undefined
        if (this.#closed) return
        this.#timer = setTimeout(() => void this.look(), LOOK_EVERY_MS).unref()
      })
    return this.#looking
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { events, state, redelivery, lease, presence } = this.#names
    const names = [events, state, redelivery, lease, presence]
    const found = await Promise.all(names.map((name) => this.#info(name)))
    const loss: ServerLoss = { streams: [], consumers: false }
    for (const [i, name] of names.entries()) {
      const before = this.#seen.get(name)
      const info = found[i]
      if (info === undefined || (before !== undefined && before.created !== info.created)) {
        loss.streams.push(name)
      } else if (info.state.consumer_count < (before?.consumers ?? 0)) loss.consumers = true
    }
    if (loss.streams.length > 0 || loss.consumers) {
      await this.#onLoss(loss)
      this.#note(await Promise.all(names.map((name) => this.#info(name))))
    } else this.#note(found)
  }

  #note(found: readonly (StreamInfo | undefined)[]): void {
    for (const info of found) {
      if (info === undefined) continue
      const { consumer_count: consumers } = info.state
      this.#seen.set(info.config.name, { created: info.created, consumers })
    }
  }

  async #info(name: string): Promise<StreamInfo | undefined> {
    try {
      return await this.#manager.streams.info(name)
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined
      throw error
    }
  }
}
