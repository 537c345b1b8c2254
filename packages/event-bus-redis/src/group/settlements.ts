import { EventBusError, emittedBy, type PublishResult, type Settlement } from '@nexus/event-bus'
import { isRefusedForGood } from '../connection/request.js'
import { ACK, SETTLE, SETTLE_AND_EMIT } from '../scripts/settle.js'
import type { RedisClaim } from './redis-claim.js'
import { type Argument, deliveryJson, settlementArguments } from './settlement-arguments.js'

/** Runs a script of `scripts/`. */
export type RunScript = (script: string, args: readonly Argument[]) => Promise<unknown>

/** What the server did with a settlement. */
export interface Settled {
  /** False when the claim was lost before: nothing was stored. */
  stored: boolean
  emitted: PublishResult[]
}

interface Pending {
  claim: RedisClaim
  settlement: Settlement
  resolve(settled: Settled): void
  reject(error: unknown): void
}

/** Settlements sent at once. */
const MAX_SETTLEMENTS = 500
/** Batches of settlements on their way: one while the server works on another. */
const MAX_SENDERS = 2

/** Sends the settlements of a consumer in batches; those of one turn of the event loop travel together. */
export class Settlements {
  readonly #group: string
  readonly #ackWaitMs: number
  readonly #run: RunScript
  readonly #onSettled: () => void
  #waiting: Pending[] = []
  #senders = 0

  constructor(group: string, ackWaitMs: number, run: RunScript, onSettled: () => void) {
    this.#group = group
    this.#ackWaitMs = ackWaitMs
    this.#run = run
    this.#onSettled = onSettled
  }

  send(claim: RedisClaim, settlement: Settlement): Promise<Settled> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ claim, settlement, resolve, reject })
      if (this.#senders === MAX_SENDERS) return
      this.#senders += 1
      queueMicrotask(() => void this.#sendAll())
    })
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_SETTLEMENTS)
      await Promise.all(
        [ACK, SETTLE, SETTLE_AND_EMIT].map((script) => {
          const own = batch.filter(({ settlement }) => scriptOf(settlement) === script)
          return this.#sendBatch(script, own)
        }),
      )
      this.#onSettled()
    }
    this.#senders -= 1
  }

  async #sendBatch(script: string, batch: readonly Pending[]): Promise<void> {
    if (batch.length === 0) return
    try {
      const answers = script === ACK ? await this.#ack(batch) : await this.#settle(script, batch)
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!)
    } catch (error) {
      const [only] = batch
      if (batch.length === 1) only!.reject(this.#refusal(only!, error))
      // One that the server refuses must not take its neighbours along.
      else await Promise.all(batch.map((one) => this.#sendBatch(script, [one])))
    }
  }

  /** What the server will never take is told as such; the rest is for the caller to send again. */
  #refusal({ claim, settlement }: Pending, error: unknown): unknown {
    if (settlement.kind === 'release' || !isRefusedForGood(error)) return error
    const { id, source } = claim.event
    return new EventBusError(
      'SETTLEMENT_REFUSED',
      `event ${id} of group ${this.#group}: the server refuses its settlement: ${(error as Error).message}`,
      { details: { group: this.#group, id, source }, cause: error },
    )
  }

  async #ack(batch: readonly Pending[]): Promise<Settled[]> {
    const args: Argument[] = [this.#group]
    for (const { claim, settlement } of batch) {
      if (settlement.kind !== 'ack') continue
      args.push(claim.work, claim.token, deliveryJson(claim, settlement))
    }
    const answers = (await this.#run(ACK, args)) as number[]
    return answers.map((stored) => ({ stored: stored === 1, emitted: [] }))
  }

  async #settle(script: string, batch: readonly Pending[]): Promise<Settled[]> {
    const answers = (await this.#run(script, [
      this.#group,
      this.#ackWaitMs,
      ...batch.flatMap(({ claim, settlement }) => settlementArguments(claim, settlement)),
    ])) as [stored: number, [sequence: string | number, duplicate: number][]][]
    return answers.map(([stored, emitted], i) => {
      const { settlement } = batch[i]!
      const sent = emittedBy(settlement)
      return {
        stored: stored === 1,
        emitted: emitted.map(([sequence, duplicate], n) => ({
          id: sent[n]!.event.id,
          sequence: Number(sequence),
          duplicate: duplicate === 1,
        })),
      }
    })
  }
}

function scriptOf(settlement: Settlement): string {
  const state = 'state' in settlement ? (settlement.state ?? []) : []
  const writes = emittedBy(settlement).length > 0 || state.some(({ value }) => value !== undefined)
  if (writes) return SETTLE_AND_EMIT
  return settlement.kind === 'ack' && state.length === 0 ? ACK : SETTLE
}
