import { randomUUID } from 'node:crypto'
import {
  type Claim,
  claimLost,
  type GroupConsumer,
  type GroupRequest,
  type PublishResult,
  type Settlement,
} from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { GuardedRedisConsumer } from '../claim-guard-worker.js'
import { CLAIM, EXTEND, START, TELL } from '../scripts/claim.js'
import { LEAVE_GROUP, OPEN_GROUP } from '../scripts/groups.js'
import { eraseClaim, type RedisClaim, readClaims } from './redis-claim.js'
import { fillGroup } from './repair.js'
import { type RunScript, Settlements } from './settlements.js'

/** Who is told what a group's consumer did. */
export interface RedisGroupHost {
  guard: ClaimGuard
  onSettled(): void
  /** Keys of the group were deleted; their names without the prefix of the bus. */
  onLost(keys: readonly string[]): void
  onClose(): void
}

/** A process that was silent for this long is taken for dead: what only its patterns match goes to no one else. */
export const PROCESS_LAPSE_MS = 15_000
/** Claims asked for at once: the scripts pass them as arguments of one command. */
const MAX_CLAIMS = 1_000

/** A consumer of a group in Redis. */
export class RedisGroup implements GroupConsumer {
  readonly name: string
  readonly #request: GroupRequest
  readonly #patterns: string[]
  readonly #run: RunScript
  readonly #host: RedisGroupHost
  readonly #consumer = randomUUID()
  readonly #guarded: GuardedRedisConsumer
  readonly #settlements: Settlements
  readonly #claims = new Set<RedisClaim>()
  /** The id of the group, another one after it was removed, or lost, and made again. */
  #id = ''
  /** The id that the server gave to the patterns. */
  #set = ''
  #requests = 0
  /** The newest request for claims that was answered: the server tells by it whether there are claims of a lost answer. */
  #answered = 0
  /** The newest sequence that was claimed here, or behind which the group began. */
  #newest = 0
  /** When every claim of that time was extended. */
  #extendedMs = performance.now()
  #woken = false
  #wake: (() => void) | undefined
  #closed = false

  constructor(request: GroupRequest, run: RunScript, host: RedisGroupHost) {
    this.name = request.name
    this.#request = request
    this.#patterns = [...request.patterns].sort()
    this.#run = run
    this.#host = host
    this.#guarded = { id: this.#consumer, group: request.name, lapseMs: request.ackWaitMs }
    const { name, ackWaitMs } = request
    this.#settlements = new Settlements(name, ackWaitMs, run, host.onSettled)
  }

  /** The group as the server knew it when this consumer joined. */
  get id(): string {
    return this.#id
  }

  /** The consumer as the server knows it, with the id that the server gave to its patterns. */
  get consumer(): { id: string; set: string } {
    return { id: this.#consumer, set: this.#set }
  }

  /** The sequence behind which this consumer still has something to do, as far as it knows. */
  get position(): number {
    return Math.min(this.#newest, ...[...this.#claims].map(({ sequence }) => sequence - 1))
  }

  /**
   * Joins the group, which is made where it is missing; -1 stands for the end of the log. Answers whether it was made.
   *
   * @param emptied the server lost the group since this consumer joined it: `startAfter` counts although another process
   * has made it
   * @throws EventBusError `STORE_UNAVAILABLE`
   */
  async open(startAfter: number, emptied = false): Promise<boolean> {
    const answer = await this.#run(OPEN_GROUP, [
      this.name,
      this.#consumer,
      JSON.stringify(this.#patterns),
      startAfter,
      randomUUID(),
      this.#id,
      emptied ? 1 : 0,
      this.#set,
      PROCESS_LAPSE_MS,
    ])
    const [filling, set, position, made, lost, id] = answer as [
      number,
      number,
      number,
      number,
      string[],
      string,
    ]
    this.#id = id
    this.#newest = made === 1 ? position : Math.max(this.#newest, position)
    this.#set = String(set)
    if (lost.length > 0) this.#host.onLost(lost.map((kind) => `${kind}:${this.name}`))
    if (filling === 1) await fillGroup(this.#run, this.name)
    this.wake()
    return made === 1
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

  async settle(claim: Claim, settlement: Settlement): Promise<PublishResult[]> {
    const own = claim as RedisClaim
    const { stored, emitted } = await this.#settlements.send(own, settlement)
    if (!stored) {
      this.#drop(own)
      throw claimLost(this.name, own.event)
    }
    if (settlement.kind === 'retry' && settlement.inPlace) {
      own.attempt += 1
      own.isBegun = false
    } else this.#drop(own)
    return emitted
  }

  async begin(claims: readonly Claim[]): Promise<readonly Claim[]> {
    const work = (claims as readonly RedisClaim[]).flatMap(({ work, token, attempt }) => [
      work,
      token,
      attempt,
    ])
    const { name, ackWaitMs } = this.#request
    const answers = (await this.#run(START, [name, ackWaitMs, ...work])) as (number | string)[]
    return (claims as readonly RedisClaim[]).filter((claim, i) => {
      const answer = answers[i]
      claim.isBegun = answer !== 0
      if (answer === 0) this.#drop(claim)
      else if (typeof answer === 'string') eraseClaim(claim, answer)
      return claim.isBegun
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
    const work = this.#work()
    for (const claim of this.#claims) this.#drop(claim)
    this.#host.onClose()
    await this.#run(LEAVE_GROUP, [this.name, this.#consumer, ...work]).catch(() => {})
  }

  #drop(claim: RedisClaim): void {
    if (this.#claims.delete(claim)) this.#host.guard.remove(this.#guarded, guardedClaim(claim))
  }

  async #claim(limit: number): Promise<{ claims: RedisClaim[]; waitMs: number }> {
    // What this consumer still works on must not lapse into its own hands after a long stall.
    const { ackWaitMs } = this.#request
    if (performance.now() - this.#extendedMs > ackWaitMs / 3) await this.#extend([...this.#claims])
    let answer = await this.#askForClaims(limit, [this.#answered])
    if (answer[0] === TELL) answer = await this.#askForClaims(limit, ['', ...this.#work()])
    const [waitMs, ...fields] = answer
    const claims = readClaims(fields, `${this.#consumer}:${this.#answered}`)
    for (const claim of claims) {
      this.#newest = Math.max(this.#newest, claim.sequence)
      this.#claims.add(claim)
      this.#host.guard.add(this.#guarded, guardedClaim(claim))
    }
    return { claims, waitMs: Number(waitMs) }
  }

  /** @param known what this consumer knows of its claims, see `CLAIM` */
  async #askForClaims(limit: number, known: readonly (string | number)[]): Promise<string[]> {
    const { name, ackWaitMs, ordered } = this.#request
    this.#requests += 1
    const number = this.#requests
    const answer = (await this.#run(CLAIM, [
      name,
      this.#consumer,
      number,
      this.#set,
      this.#patterns.join('\n'),
      Math.min(limit, MAX_CLAIMS),
      ackWaitMs,
      ordered ? 1 : 0,
      ...known,
    ])) as string[]
    this.#answered = number
    return answer
  }

  /** Work and token of every claim. */
  #work(claims: Iterable<RedisClaim> = this.#claims): string[] {
    return [...claims].flatMap(({ work, token }) => [work, token])
  }

  async #extend(claims: readonly RedisClaim[]): Promise<void> {
    const askedMs = performance.now()
    if (claims.length > 0) {
      const { ackWaitMs } = this.#request
      await this.#run(EXTEND, [this.name, this.#consumer, ackWaitMs, ...this.#work(claims)])
    }
    this.#extendedMs = askedMs
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

/** A claim in one text, as the guard's thread knows it. */
function guardedClaim({ work, token }: RedisClaim): string {
  return `${work} ${token}`
}
