/** Any value that JSON can carry. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue | undefined }

/** A CloudEvents 1.0 event as the runtime stores and returns it. */
export interface CloudEvent {
  /** Version of CloudEvents. */
  specversion: '1.0'
  /** Unique among the events of the log. */
  id: string
  /** URI reference of the producer. */
  source: string
  /** Dot-separated name, e.g. `com.nexus.order.created`. */
  type: string
  /** RFC 3339, UTC. */
  time: string
  /** What the event is about within its source. */
  subject?: string
  /** Media type of `data`. */
  datacontenttype?: string
  /** The payload. */
  data?: JsonValue
  /** Extension attributes. */
  [attribute: string]: JsonValue | undefined
}

/** An event to publish; the runtime fills in `id`, `source` and `time` where they are missing. */
export interface NewEvent {
  /** Dot-separated name, e.g. `com.nexus.order.created`. */
  type: string
  /** The payload. */
  data?: JsonValue
  /** Publishing the same source and id again stores nothing. @default a UUID of version 7 */
  id?: string
  /** URI reference of the producer. @default '/nexus/client' */
  source?: string
  /** RFC 3339. @default the time of the server */
  time?: string
  /** What the event is about within its source. */
  subject?: string
  /** Extension attributes. */
  [attribute: string]: JsonValue | undefined
}

/** What the runtime answers once an event is durable. */
export interface PublishReceipt {
  /** Id of the event, for `getEvent`. */
  id: string
  /** `true` when an event with this id was stored before; it was not stored again. */
  duplicate: boolean
}

/** What became of a published event that was waited for. */
export interface EventOutcome extends PublishReceipt {
  /** Whether each function ended: it succeeded, or every attempt failed. False when the time was over first: the functions go on. */
  settled: boolean
  /** One for each function that listens to the event. */
  runs: FunctionRun[]
}

/** Where data is that a list leaves out, because it is large. */
export type OmittedData = {
  /** Size of the data in bytes. */
  bytes: number
  /** Path of the whole event on the server; `getEvent` fetches it. */
  href: string
}

/** An event in a list. */
export interface ListedEvent extends CloudEvent {
  /** There instead of `data` where that is large: fetch the event to get it. */
  dataOmitted?: OmittedData
}

/** One page of the log, newest event first. It may hold fewer events than were asked for: `cursor` tells whether there are more. */
export interface CloudEventPage {
  /** Newest first. */
  events: ListedEvent[]
  /** Events in the log that match the filter, on all pages; absent where only a scan could tell. */
  total?: number
  /** Hand this to the next call; absent on the last page. */
  cursor?: string
}

/** Where one function stands with one event. */
export type RunStatus =
  | 'pending'
  | 'running'
  | 'retrying'
  | 'suspended'
  | 'succeeded'
  | 'dead-lettered'

/** A line that a function logged. A type, like those it is stored with, so that it is JSON for the compiler too. */
export type LogLine = {
  /** How much it matters. */
  level: 'debug' | 'info' | 'warn' | 'error'
  /** The line itself. */
  message: string
  /** RFC 3339, UTC. */
  time: string
  /** What was logged with it. */
  fields?: JsonValue
}

/** Why the last attempt of a function failed. */
export type RunError = {
  /** Stable code, e.g. `TIMEOUT` or `EXECUTION_ERROR`. */
  code: string
  /** Name of what was thrown, e.g. `TypeError`. */
  name: string
  /** What the function threw, or why it was stopped. */
  message: string
  /** Stack of the function's own frames, in its own source. */
  stack?: string
  /** Where in the function's own source; lines and columns count from 1. */
  location?: { file: string; line: number; column: number }
  /** The lines around `location`, the line itself marked with `>`. */
  sourceLines?: string
}

/** What a run waits for. */
export interface RunSuspension {
  /** What to resume it by. */
  suspensionId: string
  /** The name that the function gave. */
  name: string
  /** RFC 3339, UTC: when it fails with `TIMEOUT`; absent where it never does. */
  expiresAt?: string
  /** RFC 3339, UTC: when it was suspended. */
  suspendedAt: string
}

/** What one function did with an event. */
export interface FunctionRun {
  /** Name of the function. */
  function: string
  /** `dead-lettered` is final: every attempt failed. */
  status: RunStatus
  /** Attempts since the event was published or replayed. */
  attempts: number
  /** How often the event was replayed to this function. */
  replays: number
  /** RFC 3339, UTC; when the status changed last. */
  updatedAt: string
  /** RFC 3339, UTC; when the next attempt is due, while `retrying`. */
  nextAttemptAt?: string
  /** Time of the last attempt inside the sandbox, in milliseconds. */
  durationMs?: number
  /** What the handler returned. */
  value?: JsonValue
  /** Log lines of the last attempt. */
  logs: LogLine[]
  /** Why the last attempt failed; absent when it succeeded. */
  error?: RunError
  /** Parts that were too large to be stored whole: `value`, `logs` or `error`. Absent when nothing was cut. */
  truncated?: ('value' | 'logs' | 'error')[]
  /** How often it was suspended and went on; absent where it never was. */
  resumes?: number
  /** What it waits for, while `suspended`. */
  suspension?: RunSuspension
}

/** What an invoked function did: it succeeded, or is suspended. */
export interface Invocation extends FunctionRun {
  /** The event that carried the invocation. */
  event: { id: string; source: string; type: string }
}

/** When and why the data of an event was erased. */
export interface Erasure {
  /** RFC 3339, UTC. */
  at: string
  /** Why, as it was given. */
  reason?: string
}

/** An event with what each function did with it. */
export interface EventWithRuns {
  /** The event as it is stored. */
  event: CloudEvent
  /** RFC 3339, UTC; when the event became durable. */
  publishedAt: string
  /** Present when its data, results and logs were erased: only the envelope is left. */
  erased?: Erasure
  /** One for each function that listens to the event. */
  runs: FunctionRun[]
}

/** What a replay set in motion. */
export interface ReplayReceipt {
  /** Id of the event. */
  id: string
  /** Functions that run the event once more. */
  deliveries: number
}

/** What was erased: the envelope of this event is left. */
export interface ErasureReceipt {
  /** Id of the event. */
  id: string
  /** When and why. */
  erased: Erasure
}
