import type { AppendRequest, GroupRequest, PublishResult } from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { Session } from '../session.js'
import type { GroupState } from '../streams/state.js'
import { Group } from './group.js'
import { groupHost, type TurnFree } from './group-host.js'
import { CONFIRM_MS } from './pattern-sets.js'

/** What the open groups of a process need of their store. */
export interface OpenGroupsHost {
  session: Session
  guard: ClaimGuard
  isConnected(): boolean
  /** Asks the server; an error says where it is, and what to do. */
  ask<T>(request: () => Promise<T>): Promise<T>
  emit(events: readonly AppendRequest[]): Promise<PublishResult[]>
  /** Consumers of a group were gone, and are there again. */
  onRestored(group: string): void
  onSettled(): void
  onError(error: unknown): void
}

/** The groups in which this process takes part. */
export class OpenGroups implements Iterable<Group> {
  readonly #host: OpenGroupsHost
  readonly #groups = new Set<Group>()
  /** Those that hear of changes: the open ones, and those that are being opened. */
  readonly #listeners = new Set<Group>()
  readonly #confirmTimer: NodeJS.Timeout

  constructor(host: OpenGroupsHost) {
    this.#host = host
    const { connection, state } = host.session
    // Hears at once when another process joins a group with other patterns; says now and then what this one uses.
    connection.subscribe(state.names.group('*'), {
      callback: (_, message) => {
        const name = state.names.lastToken(message.subject)
        const { sets } = message.json<GroupState>()
        for (const group of this.#listeners) if (group.name === name) group.changed(sets)
      },
    })
    connection.subscribe(state.names.turnOf('*'), {
      callback: (_, message) => {
        const name = state.names.lastToken(message.subject)
        const free = message.json<TurnFree>()
        for (const group of this.#groups) if (group.name === name) group.turnFree(free)
      },
    })
    this.#confirmTimer = setInterval(() => {
      for (const group of this.#groups) group.confirm().catch(host.onError)
    }, CONFIRM_MS).unref()
  }

  [Symbol.iterator](): Iterator<Group> {
    return this.#groups.values()
  }

  has(name: string): boolean {
    return [...this.#groups].some((group) => group.name === name)
  }

  async open(request: GroupRequest): Promise<Group> {
    const group = this.#newGroup(request)
    // Before it joins: another process may join meanwhile.
    this.#listeners.add(group)
    try {
      await group.start(await this.#host.session.groups.join(request))
    } catch (error) {
      this.#listeners.delete(group)
      throw error
    }
    this.#groups.add(group)
    return group
  }

  /** The connection went away. */
  interrupt(): void {
    for (const group of this.#groups) group.interrupt()
  }

  /** The connection came back. */
  renew(): void {
    for (const group of this.#groups) group.renew()
  }

  /** Says nothing more; the groups are closed by who opened them. */
  close(): void {
    clearInterval(this.#confirmTimer)
  }

  #newGroup(request: GroupRequest): Group {
    const { session, ask, isConnected, onRestored, ...store } = this.#host
    const { groups } = session
    const group: Group = new Group(
      request,
      groupHost(session, request, {
        ...store,
        leave: async () => {
          if (isConnected()) await groups.leave(request)
        },
        restore: async (known) => {
          const joined = await ask(() => groups.join(request, known))
          if (joined.forgotten) onRestored(request.name)
          return joined
        },
        onClose: () => {
          this.#groups.delete(group)
          this.#listeners.delete(group)
        },
      }),
    )
    return group
  }
}
