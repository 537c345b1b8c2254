import { randomUUID } from 'node:crypto'
import { EventBusError } from '@nexus/event-bus'
import type { RedisServer } from '../connection/redis-server.js'
import { ATTEND } from '../scripts/attend.js'
import { PROCESS_LAPSE_MS, type RedisGroup } from './group.js'
import type { KnownGroup } from './known-groups.js'
import { describeLostKey } from './lost-key.js'
import { fillGroup, repairLog } from './repair.js'
import type { RunScript } from './settlements.js'

/** How often a process says that it is there, and looks whether the server still has what it had. */
const ATTEND_MS = 2_000

/** What the process last knew of the server's data. */
interface Known {
  instance: string
  revision: number
  head: number
}

/** What the server answers to a process that says that it is there. */
interface Attended {
  known: Known
  alive: boolean
  /** Names of keys that were deleted. */
  lost: string[]
  /** There is something to repair; the process that began it may be gone. */
  repairs: boolean
}

/** Where the groups of this process are, and who hears of lost data. */
export interface AttendanceHost {
  groups(): Iterable<RedisGroup>
  onEmptied(what: string): void
  onRepaired(): void
  onError(error: unknown): void
}

/**
 * Keeps this process known to the others, and notices within seconds when the server has lost events or groups: it says so,
 * and makes the groups of this process again where they were.
 */
export class Attendance {
  /** How often lost data was noticed. */
  losses = 0
  /** RFC 3339 time at which lost data was last noticed. */
  lastLossAt: string | undefined
  readonly #server: RedisServer
  readonly #host: AttendanceHost
  #known: Known | undefined
  #timer: NodeJS.Timeout | undefined
  #attending: Promise<void> | undefined
  #repairing: Promise<void> | undefined
  #closed = false

  constructor(server: RedisServer, host: AttendanceHost) {
    this.#server = server
    this.#host = host
  }

  /** @throws EventBusError `STORE_UNAVAILABLE` */
  async start(): Promise<void> {
    this.#known = (await this.#ask()).known
    this.#schedule()
  }

  /** Looks now; the server may be another one. */
  attend(): Promise<void> {
    clearTimeout(this.#timer)
    this.#attending ??= this.#look()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#attending = undefined
        this.#schedule()
      })
    return this.#attending
  }

  /** The process leaves; its groups have left before. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#attending
    await this.#repairing
    const { prefix, process } = this.#server
    await this.#server
      .ask((redis) =>
        redis
          .multi()
          .zrem(`${prefix}:processes`, process)
          .unlink(`${prefix}:process:${process}`)
          .exec(),
      )
      .catch(() => {})
  }

  #schedule(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.attend(), ATTEND_MS).unref()
  }

  /** Keys of the bus were deleted; their names without its prefix. */
  lose(keys: readonly string[]): void {
    for (const key of keys) this.#lost(describeLostKey(key, this.#server.address))
    if (keys.length > 0) this.#repair()
  }

  async #ask(): Promise<Attended> {
    const consumers = [...this.#host.groups()].flatMap(({ name, id, consumer }) => [
      consumer.id,
      name,
      consumer.set,
      id,
    ])
    const head = this.#known?.head ?? 0
    const answer = await this.#server.run(ATTEND, [
      randomUUID(),
      PROCESS_LAPSE_MS,
      head,
      ...consumers,
    ])
    const [instance, alive, revision, newest, lost, repairs] = answer as [
      string,
      number,
      number,
      number,
      string[],
      number,
    ]
    const known = { instance, revision, head: Number(newest) }
    return { known, alive: alive === 1, lost, repairs: repairs === 1 }
  }

  async #look(): Promise<void> {
    const before = this.#known
    const { known, alive, lost, repairs } = await this.#ask()
    if (before === undefined) return
    const emptied = known.instance !== before.instance
    const isLost = emptied || known.head < before.head
    if (isLost) this.#lost(this.#whatWasLost(before, known, emptied))
    if (emptied || !alive || known.revision !== before.revision) await this.#restore(emptied, alive)
    this.#known = known
    this.lose(lost)
    if (isLost || repairs) this.#repair()
  }

  /** Takes as long as it takes: meanwhile the process goes on saying that it is there. */
  #repair(): void {
    const run: RunScript = (script, args) => this.#server.run(script, args)
    this.#repairing ??= (async () => {
      const gone = await repairLog(run)
      if (gone > 0) {
        this.#lost(
          `${gone} events are gone from Redis at ${this.#server.address}: publish again what must not be missing`,
        )
      }
      const filling = await this.#server.ask((redis) =>
        redis.hkeys(`${this.#server.prefix}:filling`),
      )
      for (const name of filling) if (name !== '') await fillGroup(run, name)
      this.#host.onRepaired()
    })()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#repairing = undefined
      })
  }

  /** A server that is away is told by the connection. */
  #failed(error: unknown): void {
    const isAway = error instanceof EventBusError && error.code === 'STORE_UNAVAILABLE'
    if (!isAway && !this.#closed) this.#host.onError(error)
  }

  #whatWasLost(before: Known, known: Known, emptied: boolean): string {
    const { address, prefix } = this.#server
    const repair = emptied ? 'the groups of this process are made again, ' : ''
    const advice = `${repair}publish again what must not be missing, and check the persistence of the server`
    if (known.head < before.head) {
      return `Redis at ${address} lost events: its newest was number ${before.head}, now ${known.head}; ${advice}`
    }
    return known.head === 0
      ? `Redis at ${address} is empty: its events and groups are gone; ${advice}`
      : `Redis at ${address} lost the key ${prefix}:meta, and maybe events: it was emptied and filled again, or the key was deleted; ${advice}`
  }

  async #restore(emptied: boolean, alive: boolean): Promise<void> {
    const groups = [...this.#host.groups()]
    if (groups.length === 0) return
    const names = groups.map(({ name }) => name)
    const key = `${this.#server.prefix}:groups`
    const stored = alive && !emptied ? await this.#server.ask((r) => r.hmget(key, ...names)) : []
    for (const [i, group] of groups.entries()) {
      const json = stored[i]
      // Another process may have made it again already, without the patterns of this one.
      if (json != null && (JSON.parse(json) as KnownGroup).id === group.id) continue
      const after = emptied ? 0 : group.position
      const made = await group.open(after, emptied)
      if (!made || emptied) continue
      this.#lost(
        `group ${group.name} was missing on Redis at ${this.#server.address}; it was made again and goes on after event ${after}`,
      )
      this.#host.onRepaired()
    }
  }

  #lost(what: string): void {
    this.losses += 1
    this.lastLossAt = new Date().toISOString()
    this.#host.onEmptied(what)
  }
}
