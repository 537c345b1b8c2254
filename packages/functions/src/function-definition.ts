import type { SubscribeOptions } from '@nexus/event-bus'
import type { CallOptions, CompiledHandler, WasiHandler } from '@nexus/executor'
import type { HttpTrigger } from './http/http-trigger.js'
import type { Schedule } from './schedule/schedule.js'

/** A function: where its code is, which events it runs for, and what it may do. */
export interface FunctionDefinition
  extends Omit<SubscribeOptions, 'group' | 'onDeadLetter'>,
    CallOptions {
  /** Unique; also the name of the consumer group that remembers which events are done. */
  name: string
  /** Event types it runs for: `*` is one token, a last `>` is the rest. Needed where it has no `schedule` and no `http`: `[]` for a function that is only invoked, or called on failure. */
  events?: string | readonly string[] | undefined
  /**
   * When it runs by the clock: a cron expression, in UTC, or one with its time zone and what becomes of missed firings. Each
   * firing is an event of the type `nexus.schedule.<name>` with `data.scheduledAt`, stored once whatever the number of hosts.
   */
  schedule?: string | Schedule | undefined
  /**
   * Requests that it answers, through `FunctionHost.fetch` or a server: its handler gets a `Request` and returns a `Response`, or is an
   * application with `fetch(request)`. Such a function has no `events` and no `schedule`.
   */
  http?: HttpTrigger | undefined
  /** The text of an ES module without imports, with the handler as its default export. */
  source?: string | undefined
  /** Path or `file:` URL of a `.js` or `.ts` module, which is bundled with its imports, or of a `.wasm` command. */
  file?: string | URL | undefined
  /** Directory whose files the handler may import. @default the directory of `file` */
  importRoot?: string | undefined
  /** What `WasmRuntime` compiled. With `file` beside it, a reload compiles the file again. */
  compiled?: CompiledHandler | WasiHandler | undefined
  /**
   * JSON Schema (2020-12, or draft-07 where `$schema` says so) of the `data` of its events. It is checked before each
   * call: an event that does not fit becomes a dead letter with the reason, and the function does not run.
   * @default any data
   */
  schema?: Readonly<Record<string, unknown>> | undefined
  /**
   * Name of the function that hears of each event that this one gives up on, as an event of the type
   * `nexus.dead-letter.<name>` with `DeadLetterData`, stored together with the dead letter.
   * @default none
   */
  onFailure?: string | undefined
  /**
   * The function is paused once it gave up on this many events in a row, counted by each process; see `FunctionHost.pause`.
   * Events that do not fit its `schema` do not count.
   * @default never
   */
  pauseAfterFailures?: number | undefined
  /** What it may do, such as `events:emit:com.example.order.*` or `net:api.example.com`. @default [] */
  capabilities?: readonly string[] | undefined
  /** What it sees as `ctx.env`. @default {} */
  env?: Readonly<Record<string, string>> | undefined
  /** What it sees as `ctx.secrets`; their values are kept out of logs and errors. @default {} */
  secrets?: Readonly<Record<string, string>> | undefined
  /** Arguments of a `.wasm` command. @default [] */
  args?: readonly string[] | undefined
  /** Files of a `.wasm` command: the path it opens, and the path of the file to read. @default {} */
  files?: Readonly<Record<string, string>> | undefined
}

/** A definition whose code is compiled. */
export type CompiledFunction = FunctionDefinition & { compiled: CompiledHandler | WasiHandler }
