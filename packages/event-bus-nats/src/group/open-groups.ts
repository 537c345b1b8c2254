import type { AppendRequest, GroupRequest, PublishResult } from '@nexus/event-bus'
import type { ClaimGuard } from '@nexus/event-bus/claim-guard'
import type { Session } from '../session.js'
import type { GroupState } from '../streams/state.js'
import { Group } from './group.js'
import { groupHost } from './group-host.js'
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
  readonly #confirmTimer: NodeJS.Timeout

  constructor(host: OpenGroupsHost) {
    this.#host = host
    const { connection, state } = host.session
    // Hears at once when another process joins a group with other patterns; says now and then what this one uses.
    connection.subscribe(state.names.group('*'), {
      callback: (_, message) => {
        const name = state.names.lastToken(message.subject)
        const changed = message.json<GroupState>()
        for (const group of this.#groups) if (group.name === name) group.changed(changed)
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
    const { group: state, ...position } = await this.#host.session.consumers.join(request)
    const group = this.#newGroup(request)
    await group.start(position)
    group.changed(state)
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
    const { consumers } = session
    const group: Group = new Group(
      request,
      groupHost(session, request, {
        ...store,
        leave: async () => {
          if (isConnected()) await consumers.leave(request)
        },
        restore: async (known) => {
          const joined = await ask(() => consumers.join(request, known))
          if (joined.forgotten) onRestored(request.name)
          return joined
        },
        onClose: () => this.#groups.delete(group),
      }),
    )
    return group
  }
}
