import { v7 as timeOrderedId } from 'uuid'
import { answers } from './answers.js'
import { NexusClientError } from './errors.js'
import { type NexusClientOptions, type ResolvedClientOptions, resolveOptions } from './options.js'
import { type RequestInput, requestJson } from './request.js'
import type { Shape } from './shape.js'
import type {
  CloudEventPage,
  ErasureReceipt,
  EventWithRuns,
  ListedEvent,
  NewEvent,
  PublishReceipt,
  ReplayReceipt,
} from './wire/events.js'
import type { MetricsReport } from './wire/metrics-report.js'
import type {
  OptimizationsReport,
  PagePerformanceReport,
  ReportedOptimization,
} from './wire/optimizations-report.js'
import type { ProfileReport } from './wire/profile-report.js'

/** Which events to list. */
export interface EventFilter {
  /** Only events of this type, or of the types this pattern matches (`*` one token, `>` the rest). */
  type?: string
}

/** Which event an id means. */
export interface EventQuery {
  /** Source of the event; needed where events of several sources have the id, which is refused with status 409 otherwise. */
  source?: string
}

/** Which event to erase, and why. */
export interface EraseEventQuery extends EventQuery {
  /** Kept with the envelope; at most 512 bytes. */
  reason?: string
}

/** Which page of events to list. */
export interface ListEventsQuery extends EventFilter {
  /** Events on the page. The server's default is 20, its maximum 1,000. */
  limit?: number
  /** `cursor` of the page before. */
  cursor?: string
}

/** What to profile. */
export interface ProfileQuery {
  /** For how long, from 1 to 240. The server's default is 10. */
  seconds?: number
  /** Only this function; the server's own code is profiled all the same. */
  function?: string
}

/**
 * Talks to a Nexus runtime over HTTP, from Node or a browser.
 *
 * Every method rejects with a `NexusClientError`.
 *
 * @example
 * ```ts
 * const nexus = new NexusClient({ url: 'http://localhost:8080', token: process.env.NEXUS_TOKEN })
 * const { id } = await nexus.publish({ type: 'com.example.paid', data: { total: 3 } })
 * const { runs } = await nexus.getEvent(id)
 * ```
 */
export class NexusClient {
  readonly #options: ResolvedClientOptions

  /** @throws NexusClientError `INVALID_OPTIONS` */
  constructor(options: NexusClientOptions = {}) {
    this.#options = resolveOptions(options)
  }

  /** Base URL of the server. */
  get url(): string {
    return this.#options.url
  }

  /** Publishes one event; resolves once it is durable. Sent again, with the same id, when no answer came. */
  publish(event: NewEvent): Promise<PublishReceipt> {
    return this.#publish(answers.receipt, {
      method: 'POST',
      path: '/api/events',
      contentType: 'application/cloudevents+json',
      body: envelope(event),
    })
  }

  /** Publishes several events in one request, all of them or none; resolves once they are durable. */
  async publishBatch(events: readonly NewEvent[]): Promise<PublishReceipt[]> {
    const { results } = await this.#publish<{ results: PublishReceipt[] }>(answers.receipts, {
      method: 'POST',
      path: '/api/events',
      contentType: 'application/cloudevents-batch+json',
      body: events.map(envelope),
    })
    return results
  }

  /**
   * One page of the log, newest first. A page is limited in bytes too: it may end before `limit` with a `cursor`, and large
   * `data` is left out of it (`dataOmitted`). Use {@link events} to get a number of events whatever their size.
   */
  listEvents(query: ListEventsQuery = {}): Promise<CloudEventPage> {
    return requestJson(this.#options, answers.eventPage, {
      path: '/api/events',
      query: { ...query },
    })
  }

  /**
   * Every event that matches, newest first, fetched page by page as the loop asks for them.
   *
   * @throws NexusClientError `INVALID_RESPONSE` for a server whose pages do not go on
   */
  async *events(filter: EventFilter = {}, pageSize = 100): AsyncGenerator<ListedEvent, void, void> {
    let cursor: string | undefined
    do {
      const before = cursor
      const page = await this.listEvents({
        ...filter,
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      })
      yield* page.events
      cursor = page.cursor
      if (cursor !== undefined && cursor === before) {
        throw new NexusClientError(
          'INVALID_RESPONSE',
          `${this.url}/api/events answered the same cursor twice, so its pages would never end`,
          { url: this.url },
        )
      }
    } while (cursor !== undefined)
  }

  /** One event and what each function did with it. */
  getEvent(id: string, query: EventQuery = {}): Promise<EventWithRuns> {
    return requestJson(this.#options, answers.eventDetails, {
      path: `/api/events/${encodeURIComponent(id)}`,
      query: { ...query },
    })
  }

  /** Has every function run a stored event once more. */
  replay(id: string, query: EventQuery = {}): Promise<ReplayReceipt> {
    return requestJson(this.#options, answers.replay, {
      method: 'POST',
      path: `/api/events/${encodeURIComponent(id)}/replay`,
      query: { ...query },
    })
  }

  /**
   * Erases the data of an event, and the results, logs and errors of the functions that ran it. The envelope stays, with the
   * time and the reason. It cannot be undone; erasing once more changes the time and the reason.
   */
  erase(id: string, query: EraseEventQuery = {}): Promise<ErasureReceipt> {
    return requestJson(this.#options, answers.erasure, {
      method: 'DELETE',
      path: `/api/events/${encodeURIComponent(id)}/data`,
      query: { ...query },
    })
  }

  /** Counters of the running process. */
  metrics(): Promise<MetricsReport> {
    return requestJson(this.#options, answers.metrics, { path: '/api/metrics' })
  }

  /**
   * Profiles the server while it serves; resolves when the profile is taken. One is taken at a time: a second
   * request is refused with status 409. The time limit `timeoutMs` begins when the profile should have ended.
   */
  profile(query: ProfileQuery = {}): Promise<ProfileReport> {
    const { seconds = 10 } = query
    return requestJson(
      { ...this.#options, timeoutMs: this.#options.timeoutMs + seconds * 1000 },
      answers.profile,
      { method: 'POST', path: '/api/profile', query: { ...query } },
    )
  }

  /** What the server suggests to improve, from its own measurements, and what was applied. */
  optimizations(): Promise<OptimizationsReport> {
    return requestJson(this.#options, answers.optimizations, { path: '/api/optimizations' })
  }

  /** Applies an optimization: changes its setting. Status 409 for one that is only advice, or was applied already. */
  applyOptimization(id: string): Promise<ReportedOptimization> {
    return this.#changeOptimization(id, 'apply')
  }

  /** Undoes an applied optimization: sets its setting back. */
  undoOptimization(id: string): Promise<ReportedOptimization> {
    return this.#changeOptimization(id, 'undo')
  }

  /** What pages with `@nexus/profiler/browser` sent. */
  pagePerformance(): Promise<PagePerformanceReport> {
    return requestJson(this.#options, answers.pagePerformance, { path: '/api/performance' })
  }

  /** Sends it again where it may not have arrived: the server stores an event of the same source and id once. */
  async #publish<T>(shape: Shape, input: RequestInput): Promise<T> {
    const { publishAttempts, publishRetryDelayMs } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return await requestJson<T>(this.#options, shape, input)
      } catch (error) {
        if (attempt >= publishAttempts || !mayPass(error)) throw error
      }
      const longestMs = publishRetryDelayMs * 2 ** (attempt - 1)
      await new Promise((later) => setTimeout(later, longestMs * (0.5 + Math.random() / 2)))
    }
  }

  #changeOptimization(id: string, action: 'apply' | 'undo'): Promise<ReportedOptimization> {
    const path = `/api/optimizations/${encodeURIComponent(id)}/${action}`
    return requestJson(this.#options, answers.optimization, { method: 'POST', path })
  }
}

/** Whether the same request may be answered the next time. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof NexusClientError)) return false
  const { code, status = 0 } = error
  if (code === 'HTTP_ERROR') return [408, 429, 502, 503, 504].includes(status)
  return code === 'CONNECTION_REFUSED' || code === 'CONNECTION_FAILED' || code === 'TIMEOUT'
}

/** A complete structured CloudEvent; the server sets `time`. */
function envelope(event: NewEvent): NewEvent & { specversion: '1.0'; id: string; source: string } {
  return { specversion: '1.0', id: timeOrderedId(), source: '/nexus/client', ...event }
}
