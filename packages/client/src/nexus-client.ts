import { v7 as timeOrderedId } from 'uuid'
import { answers } from './answers.js'
import { NexusClientError } from './errors.js'
import { type NexusClientOptions, type ResolvedClientOptions, resolveOptions } from './options.js'
import { type RequestInput, requestBytes, requestJson } from './request.js'
import type { Shape } from './shape.js'
import type { CacheReport, ClearReceipt, PruneReceipt, WarmReceipt } from './wire/cache-report.js'
import type { FunctionDeadLetterPage } from './wire/dead-letters.js'
import type {
  CloudEventPage,
  ErasureReceipt,
  EventOutcome,
  EventWithRuns,
  Invocation,
  JsonValue,
  ListedEvent,
  NewEvent,
  PublishReceipt,
  ReplayReceipt,
} from './wire/events.js'
import type { FunctionStatus, PauseReceipt } from './wire/functions.js'
import type { MetricsReport } from './wire/metrics-report.js'
import type {
  OptimizationsReport,
  PagePerformanceReport,
  ReportedOptimization,
} from './wire/optimizations-report.js'
import type { ProfileReport } from './wire/profile-report.js'
import type {
  FunctionSuspension,
  ResumeBody,
  ResumeReceipt,
  SuspensionPage,
} from './wire/suspensions.js'

/** How long calls may take to end, and a large heap to be looked through, in milliseconds. */
const SNAPSHOT_MS = 180_000

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

/** How to publish an event. */
export interface PublishQuery {
  /** Wait until every function that listens to the event has ended. @default false */
  wait?: boolean
  /** How long to wait at most, in milliseconds. @default 30_000 */
  timeoutMs?: number
}

/** How to invoke a function. */
export interface InvokeQuery {
  /** How long to wait for the function to end, retries included, in milliseconds. @default 30_000 */
  timeoutMs?: number
  /** Names the invocation: sent again with the same key, the function does not run twice. */
  idempotencyKey?: string
}

/** Why a function is paused. */
export interface PauseQuery {
  /** Shown with the function; at most 200 bytes. */
  reason?: string
}

/** Which dead letters: of a function, of an event, or of both. */
export interface DeadLetterFilter {
  /** Name of the function that gave up. */
  function?: string
  /** Id of the event. */
  id?: string
  /** Source of the event; needed where events of several sources have the id. */
  source?: string
}

/** Which page of dead letters to list. */
export interface ListDeadLettersQuery extends DeadLetterFilter {
  /** Dead letters on the page. The server's default is 20, its maximum 1,000. */
  limit?: number
  /** `cursor` of the page before. */
  cursor?: string
}

/** Which suspended calls to list. */
export interface ListSuspensionsQuery {
  /** Of this function. */
  function?: string
  /** That wait for something of this name. */
  name?: string
  /** Calls looked at for the page. The server's default is 100, its maximum 1,000. */
  limit?: number
  /** `next` of the page before. */
  cursor?: string
}

/** What to profile. */
export interface ProfileQuery {
  /** For how long, from 1 to 240. The server's default is 10. */
  seconds?: number
  /** Only this function; the server's own code is profiled all the same. */
  function?: string
  /** Sample the memory that is allocated and still in use at the end as well. @default false */
  heap?: boolean
}

/** What to remove from the disk; without either, what is over the server's own limit. */
export interface PruneQuery {
  /** Remove what was used longest ago until at most this is left, in bytes. */
  maxBytes?: number
  /** Remove what was not used for this long. */
  unusedForSeconds?: number
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

  /**
   * Publishes one event; resolves once it is durable. With `wait` it resolves once every function that listens to the event has
   * ended, retries included, or the time is over: then `settled` is false. Sent again, with the same id, when no answer came.
   *
   * @example
   * ```ts
   * const { runs } = await nexus.publish({ type: 'com.example.paid' }, { wait: true })
   * ```
   */
  publish(event: NewEvent, query: PublishQuery & { wait: true }): Promise<EventOutcome>
  /** The same; without `wait` it ends once the event is stored. */
  publish(event: NewEvent, query?: PublishQuery): Promise<PublishReceipt>
  publish(
    event: NewEvent,
    { wait = false, timeoutMs = 30_000 }: PublishQuery = {},
  ): Promise<PublishReceipt> {
    const input = {
      method: 'POST',
      path: '/api/events',
      contentType: 'application/cloudevents+json',
      body: envelope(event),
    } as const
    if (!wait) return this.#publish(answers.receipt, input)
    return this.#publish(
      answers.outcome,
      { ...input, query: { wait: 'true', timeoutMs } },
      timeoutMs,
    )
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

  /** The functions that the server runs, with the next firing of each schedule. */
  async functions(): Promise<FunctionStatus[]> {
    const { functions } = await requestJson<{ functions: FunctionStatus[] }>(
      this.#options,
      answers.functions,
      { path: '/api/functions' },
    )
    return functions
  }

  /**
   * Pauses a function on every runtime of the bus until it is resumed, also across restarts: its events wait. One that is paused
   * already stays as it is.
   */
  pauseFunction(name: string, query: PauseQuery = {}): Promise<PauseReceipt> {
    return requestJson(this.#options, answers.pause, {
      method: 'POST',
      path: `/api/functions/${encodeURIComponent(name)}/pause`,
      query: { ...query },
    })
  }

  /** Lets a paused function take events again: first those that waited. */
  resumeFunction(name: string): Promise<PauseReceipt> {
    return requestJson(this.#options, answers.pause, {
      method: 'POST',
      path: `/api/functions/${encodeURIComponent(name)}/resume`,
    })
  }

  /** Calls that stand still, function by function, oldest event first. */
  suspensions(query: ListSuspensionsQuery = {}): Promise<SuspensionPage> {
    return requestJson(this.#options, answers.suspensionPage, {
      path: '/api/suspensions',
      query: { ...query },
    })
  }

  /** One of them; rejects with status 404 when nothing waits for it any more. */
  suspension(suspensionId: string): Promise<FunctionSuspension> {
    return requestJson(this.#options, answers.suspension, { path: suspensionPath(suspensionId) })
  }

  /** The sealed image of a call that stands still. */
  async suspensionImage(suspensionId: string): Promise<Uint8Array> {
    const path = `${suspensionPath(suspensionId)}/image`
    const { body } = await requestBytes(this.#options, { path })
    return new Uint8Array(await new Response(body).arrayBuffer())
  }

  /**
   * Goes on with a call, which its function does where the bus delivers it. Of several that try one does: the others are
   * refused with status 404.
   */
  resumeSuspension(suspensionId: string, body: ResumeBody = {}): Promise<ResumeReceipt> {
    return requestJson(this.#options, answers.resumed, {
      method: 'POST',
      path: `${suspensionPath(suspensionId)}/resume`,
      ...(('error' in body || body.value !== undefined) && { body }),
    })
  }

  /** Lets a wait fail with an error whose `code` is `CANCELLED`, so that the function cleans up. */
  cancelSuspension(suspensionId: string): Promise<ResumeReceipt> {
    return requestJson(this.#options, answers.resumed, {
      method: 'DELETE',
      path: suspensionPath(suspensionId),
    })
  }

  /**
   * Runs a function with this data, and answers what it did once it has ended. When no answer came, ask again with the same
   * `idempotencyKey`.
   *
   * @throws NexusClientError `HTTP_ERROR` with the `serverCode` `FUNCTION_FAILED` when every attempt failed, `INVOKE_TIMEOUT`,
   * `FUNCTION_NOT_FOUND`
   *
   * @example
   * ```ts
   * const { value } = await nexus.invoke('order-total', { items: [] })
   * ```
   */
  invoke(name: string, data: JsonValue = null, query: InvokeQuery = {}): Promise<Invocation> {
    const { timeoutMs = 30_000, idempotencyKey } = query
    return requestJson(
      { ...this.#options, timeoutMs: this.#options.timeoutMs + timeoutMs },
      answers.invocation,
      {
        method: 'POST',
        path: `/api/functions/${encodeURIComponent(name)}/invoke`,
        query: { timeoutMs },
        contentType: 'application/json',
        body: data,
        ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
      },
    )
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

  /** One page of the events that functions gave up on. */
  deadLetters(query: ListDeadLettersQuery = {}): Promise<FunctionDeadLetterPage> {
    return requestJson(this.#options, answers.deadLetterPage, {
      path: '/api/dead-letters',
      query: { ...query },
    })
  }

  /** Has functions run what they gave up on, with a fresh count of attempts; answers how many. `'all'` means every dead letter. */
  async redrive(which: DeadLetterFilter | 'all'): Promise<number> {
    const { redriven } = await requestJson<{ redriven: number }>(this.#options, answers.redriven, {
      method: 'POST',
      path: '/api/dead-letters/redrive',
      query: which === 'all' ? { all: 'true' } : { ...which },
    })
    return redriven
  }

  /** Forgets dead letters, not the events; answers how many. `'all'` means every one. It cannot be undone. */
  async purge(which: DeadLetterFilter | 'all'): Promise<number> {
    const { purged } = await requestJson<{ purged: number }>(this.#options, answers.purged, {
      method: 'DELETE',
      path: '/api/dead-letters',
      query: which === 'all' ? { all: 'true' } : { ...which },
    })
    return purged
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
    const { seconds = 10, heap, ...rest } = query
    return requestJson(
      { ...this.#options, timeoutMs: this.#options.timeoutMs + seconds * 1000 },
      answers.profile,
      {
        method: 'POST',
        path: '/api/profile',
        query: { seconds: query.seconds, ...rest, ...(heap && { heap: 'true' }) },
      },
    )
  }

  /**
   * Takes a heap snapshot of the server's main thread, which stops meanwhile; the body arrives while it is written. It holds
   * every secret of the server, which wants its token for it always.
   *
   * @returns how long the server stopped, and the content of a `.heapsnapshot`
   */
  async heapSnapshot(): Promise<{ pauseMs: number; body: ReadableStream<Uint8Array> }> {
    const { headers, body } = await requestBytes(
      { ...this.#options, timeoutMs: this.#options.timeoutMs + SNAPSHOT_MS },
      { method: 'POST', path: '/api/heap-snapshot' },
    )
    return { pauseMs: Number(headers.get('nexus-pause-ms') ?? Number.NaN), body }
  }

  /** What the caches of compiled code hold and did. */
  cache(): Promise<CacheReport> {
    return requestJson(this.#options, answers.cache, { path: '/api/cache' })
  }

  /** Empties the caches of compiled code, in memory and on disk. Functions that run go on. */
  clearCache(): Promise<ClearReceipt> {
    return requestJson(this.#options, answers.cleared, { method: 'POST', path: '/api/cache/clear' })
  }

  /** Removes from the disk what is not worth its space. */
  pruneCache(query: PruneQuery = {}): Promise<PruneReceipt> {
    return requestJson(this.#options, answers.pruned, {
      method: 'POST',
      path: '/api/cache/prune',
      query: { ...query },
    })
  }

  /** Compiles every function of the server into its caches. */
  warmCache(): Promise<WarmReceipt> {
    return requestJson(this.#options, answers.warmed, { method: 'POST', path: '/api/cache/warm' })
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
  async #publish<T>(shape: Shape, input: RequestInput, waitMs = 0): Promise<T> {
    const { publishAttempts, publishRetryDelayMs, timeoutMs, logger } = this.#options
    const options = { ...this.#options, timeoutMs: timeoutMs + waitMs }
    for (let attempt = 1; ; attempt++) {
      try {
        return await requestJson<T>(options, shape, input)
      } catch (error) {
        if (attempt >= publishAttempts || !mayPass(error)) throw error
        const fields = { attempt, reason: error.message }
        logger.warn(fields, 'a publish failed and is sent again')
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
function mayPass(error: unknown): error is NexusClientError {
  if (!(error instanceof NexusClientError)) return false
  const { code, status = 0 } = error
  if (code === 'HTTP_ERROR') return [408, 429, 502, 503, 504].includes(status)
  return code === 'CONNECTION_REFUSED' || code === 'CONNECTION_FAILED' || code === 'TIMEOUT'
}

/** A complete structured CloudEvent; the server sets `time`. */
function envelope(event: NewEvent): NewEvent & { specversion: '1.0'; id: string; source: string } {
  return { specversion: '1.0', id: timeOrderedId(), source: '/nexus/client', ...event }
}

function suspensionPath(suspensionId: string): string {
  return `/api/suspensions/${encodeURIComponent(suspensionId)}`
}
