import type { JetStreamManager } from '@nats-io/jetstream'
import type { ResolvedNatsStoreOptions } from '../nats-store-options.js'
import { addStreams } from '../streams/add-streams.js'
import type { Names } from '../streams/names.js'
import type { Redelivery } from '../streams/redelivery.js'
import type { State } from '../streams/state.js'
import { forgetLostEvents } from './forget-lost-events.js'
import { redeliverRecorded } from './redeliver-recorded.js'
import { type ServerLoss, ServerWatch } from './server-watch.js'

/** What it takes to make again what the server has lost. */
export interface ServerRecoveryHost {
  state: State
  manager: JetStreamManager
  redelivery: Redelivery
  options: ResolvedNatsStoreOptions
  /** Groups of this process. */
  groups(): Iterable<{ repair(): Promise<void> }>
  onEmptied(what: string): void
  onRepaired(): void
  /** A look at the server failed. */
  onLookFailed(error: unknown): void
}

/** What is lost with a stream, and what to do about it. */
function consequencesOf(lost: readonly string[], names: Names): string {
  const known: [stream: string, consequence: string][] = [
    [
      names.events,
      'the events are lost, publish again what must not be missing, and give the server a disk',
    ],
    [names.state, 'results, dead letters and the index of ids are lost'],
    [names.redelivery, 'what was delayed is delivered again by its records'],
  ]
  const consequences = known.filter(([stream]) => lost.includes(stream)).map(([, told]) => told)
  const told = consequences.length > 0 ? consequences : ['nothing of it is missed']
  return `streams ${lost.join(', ')}: ${told.join('; ')}`
}

/** Notices when the server has lost streams or consumers, and makes them again. */
export class ServerRecovery {
  /** What the server had lost and this process made again. */
  readonly restored = { streams: 0, consumers: 0 }
  readonly #host: ServerRecoveryHost
  readonly #watch: ServerWatch

  constructor(host: ServerRecoveryHost) {
    this.#host = host
    const { manager, state, onLookFailed } = host
    const onLoss = (loss: ServerLoss) => this.#restore(loss)
    this.#watch = new ServerWatch(manager, state.names, onLoss, onLookFailed)
  }

  /** The streams are there; looks regularly from then on. */
  async start(): Promise<void> {
    const { state, manager } = this.#host
    await forgetLostEvents(state, manager, await state.lastSequence())
    await this.#watch.look()
  }

  /** Looks now. */
  look(): Promise<void> {
    return this.#watch.look()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  /** A group's consumers were gone, and are there again. */
  consumersRestored(group: string): void {
    this.restored.consumers += 1
    this.#host.onEmptied(`group ${group}`)
    this.#host.onRepaired()
  }

  async #restore({ streams, consumers }: ServerLoss): Promise<void> {
    const { state, manager, redelivery, options, onEmptied, onRepaired } = this.#host
    const { names } = state
    const lost = streams.filter((name) => name !== names.presence)
    // A restart of the server empties its memory: no process misses anything.
    if (lost.length === 0 && !consumers) {
      await addStreams(manager, names, options)
      return
    }
    onEmptied(lost.length > 0 ? consequencesOf(lost, names) : 'consumers of groups')
    if (streams.length > 0) {
      const until = lost.includes(names.state) ? 0 : await state.lastSequence()
      await addStreams(manager, names, options)
      await forgetLostEvents(state, manager, until)
      this.restored.streams += lost.length
    }
    const isEmpty = lost.includes(names.events)
    if (lost.includes(names.redelivery) && !isEmpty) await redeliverRecorded(state, redelivery)
    await Promise.all([...this.#host.groups()].map((group) => group.repair()))
    onRepaired()
  }
}
