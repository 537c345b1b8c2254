import { randomUUID } from 'node:crypto'
import type {
  Claim,
  CloudEvent,
  GroupConsumer,
  GroupRequest,
  PublishResult,
  Settlement,
} from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { GuardedRedisConsumer } from '../claim-guard-worker.js'
import { ACK, CLAIM, EXTEND, LEAVE, SETTLE } from '../scripts/claim.js'

/** Runs a script of `scripts/`. */
export type RunScript = (script: string, args: readonly (string | number)[]) => Promise<unknown>

/** Who is told what a group's consumer did. */
export interface RedisGroupHost {
  guard: ClaimGuard
  onSettled(): void
  onClose(): void
}

/** A claim with the work it stands for. */
interface RedisClaim extends Claim {
  work: string
}

interface PendingSettlement {
  args: readonly (string | number)[]
  resolve(results: PublishResult[]): void
  reject(error: unknown): void
  emitted: readonly string[]
}

/** Settlements sent at once. */
const MAX_SETTLEMENTS = 500
/** Batches of settlements on their way: one while the server works on another. */
const MAX_SENDERS = 2
/** Claims asked for at once: the scripts pass them as arguments of one command. */
const MAX_CLAIMS = 1_000

/** A consumer of a group in Redis. */
export class RedisGroup implements GroupConsumer {
  readonly name: string
  readonly #request: GroupRequest
  readonly #run: RunScript
  readonly #host: RedisGroupHost
  readonly #consumer = randomUUID()
  readonly #guarded: GuardedRedisConsumer
  readonly #held = new Set<RedisClaim>()
  /** When every claim that was held then was extended. */
  #extendedMs = performance.now()
  /** The last claim was not answered: the server may hold work for this consumer that it does not know. */
  #answerLost = false
  #woken = false
  #wake: (() => void) | undefined
  #settling: PendingSettlement[] = []
  #senders = 0
  #closed = false

  constructor(request: GroupRequest, run: RunScript, host: RedisGroupHost) {
    this.name = request.name
    this.#request = request
    this.#run = run
    this.#host = host
    this.#guarded = { id: this.#consumer, group: request.name, lapseMs: request.ackWaitMs }
  }

  /** There may be work. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  async fetch(limit: number, signal: AbortSignal): Promise<Claim[]> {
    while (!signal.aborted && !this.#closed) {
      this.#woken = false
      const { claims, waitMs } = await this.#claim(limit)
      if (claims.length > 0) {
        this.#host.guard.flush()
        return claims
      }
      await this.#wait(waitMs, signal)
    }
    return []
  }

  settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const own = claim as RedisClaim
    return new Promise((resolve, reject) => {
      this.#settling.push({
        args: settlementArgs(own, settlement),
        emitted: settlement.kind === 'ack' ? settlement.emit.map(({ event }) => event.id) : [],
        resolve: (results) => {
          if (settlement.kind === 'retry' && settlement.hold) own.attempt += 1
          else this.#drop(own)
          resolve(results)
        },
        reject,
      })
      if (this.#senders === MAX_SENDERS) return
      this.#senders += 1
      // Settlements of the same turn of the event loop travel together.
      queueMicrotask(() => void this.#send())
    })
  }

  extend(claims: readonly Claim[]): void {
    this.#host.guard.beat()
    // A failed heartbeat is followed by the next one; the claim lapses only after several.
    this.#extend(claims as readonly RedisClaim[]).catch(() => {})
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#wake?.()
    for (const claim of this.#held) this.#drop(claim)
    this.#host.onClose()
    if (this.#request.ordered) await this.#run(LEAVE, [this.name, this.#consumer]).catch(() => {})
  }

  #drop(claim: RedisClaim): void {
    if (this.#held.delete(claim)) this.#host.guard.release(this.#guarded, claim.work)
  }

  async #claim(limit: number): Promise<{ claims: RedisClaim[]; waitMs: number }> {
    // What this consumer still works on must not lapse into its own hands after a long stall.
    const { name, ackWaitMs, ordered } = this.#request
    if (performance.now() - this.#extendedMs > ackWaitMs / 3) await this.#extend([...this.#held])
    const lost =
      ordered && this.#answerLost ? [...this.#held].map((claim) => claim.work) : undefined
    this.#answerLost = true
    const answer = (await this.#run(CLAIM, [
      name,
      this.#consumer,
      Math.min(limit, MAX_CLAIMS),
      ackWaitMs,
      ordered ? 1 : 0,
      lost === undefined ? 0 : 1,
      ...(lost ?? []),
    ])) as string[]
    this.#answerLost = false
    const claims: RedisClaim[] = []
    for (let i = 1; i < answer.length; i += 4) {
      const [work, attempt, publishedAtMs, json] = answer.slice(i, i + 4) as [
        string,
        string,
        string,
        string,
      ]
      const [sequence, replay] = work.split(':')
      const claim: RedisClaim = {
        event: JSON.parse(json) as CloudEvent,
        sequence: Number(sequence),
        publishedAt: new Date(Number(publishedAtMs)).toISOString(),
        attempt: Number(attempt),
        replay: Number(replay),
        work,
      }
      this.#held.add(claim)
      this.#host.guard.hold(this.#guarded, work)
      claims.push(claim)
    }
    return { claims, waitMs: Number(answer[0]) }
  }

  async #extend(claims: readonly RedisClaim[]): Promise<void> {
    const askedMs = performance.now()
    const work = claims.map((claim) => claim.work)
    if (work.length > 0) {
      await this.#run(EXTEND, [this.name, this.#consumer, this.#request.ackWaitMs, ...work])
    }
    this.#extendedMs = askedMs
  }

  async #send(): Promise<void> {
    while (this.#settling.length > 0) {
      const batch = this.#settling.splice(0, MAX_SETTLEMENTS)
      const acks = batch.filter((settlement) => isPlainAck(settlement))
      const others = batch.filter((settlement) => !isPlainAck(settlement))
      await Promise.all([this.#sendAcks(acks), this.#sendOthers(others)])
      this.#host.onSettled()
    }
    this.#senders -= 1
  }

  async #sendAcks(batch: readonly PendingSettlement[]): Promise<void> {
    if (batch.length === 0) return
    const args: (string | number)[] = [this.name]
    for (const { args: own } of batch) args.push(own[WORK]!, own[DELIVERY]!)
    try {
      await this.#run(ACK, args)
      for (const { resolve } of batch) resolve([])
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async #sendOthers(batch: readonly PendingSettlement[]): Promise<void> {
    if (batch.length === 0) return
    try {
      const answers = (await this.#run(SETTLE, [
        this.name,
        this.#consumer,
        this.#request.ackWaitMs,
        ...batch.flatMap(({ args }) => args),
      ])) as [sequence: string | number, duplicate: number][][]
      for (const [i, { resolve, emitted }] of batch.entries()) {
        resolve(
          answers[i]!.map(([sequence, duplicate], n) => ({
            id: emitted[n]!,
            sequence: Number(sequence),
            duplicate: duplicate === 1,
          })),
        )
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async #wait(waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#woken || signal.aborted || this.#closed) return
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      if (waitMs >= 0) timer = setTimeout(done, Math.min(waitMs, 2 ** 31 - 1))
      signal.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }
}

/** Where a settlement's arguments have what the script of plain acks takes. */
const WORK = 0
const KIND = 1
const DELIVERY = 3

function isPlainAck({ args, emitted }: PendingSettlement): boolean {
  return args[KIND] === 'ack' && emitted.length === 0
}

/** A settlement as the script takes it. */
function settlementArgs(claim: RedisClaim, settlement: Settlement): (string | number)[] {
  const { work, replay, attempt: attempts } = claim
  if (settlement.kind === 'release') return [work, 'release', 0, '', '', 0]
  const { kind, durationMs, record } = settlement
  const now = Date.now()
  const error = kind === 'ack' ? undefined : settlement.error
  // `replays` comes first: the scripts read it from there.
  const delivery = JSON.stringify({
    replays: replay,
    status: STATUS[kind],
    attempts,
    updatedAtMs: now,
    durationMs,
    record,
    error,
    ...(kind === 'retry' && { nextAttemptAtMs: now + settlement.delayMs }),
  })
  if (kind === 'retry') {
    return [work, settlement.hold ? 'hold' : 'retry', settlement.delayMs, delivery, '', 0]
  }
  if (kind === 'dead-letter') {
    return [work, kind, 0, delivery, JSON.stringify({ attempts, atMs: now, error, record }), 0]
  }
  const emitted = settlement.emit.flatMap(({ event: { id, type, source }, json }) => [
    id,
    type,
    source,
    json,
  ])
  return [work, kind, 0, delivery, '', settlement.emit.length, ...emitted]
}

const STATUS = { ack: 'succeeded', retry: 'retrying', 'dead-letter': 'dead-lettered' } as const
