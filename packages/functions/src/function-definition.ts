import type { SubscribeOptions } from '@nexus/event-bus'
import type { CallOptions, CompiledHandler, WasiHandler } from '@nexus/executor'

/** A function: where its code is, which events it runs for, and what it may do. */
export interface FunctionDefinition extends Omit<SubscribeOptions, 'group'>, CallOptions {
  /** Unique; also the name of the consumer group that remembers which events are done. */
  name: string
  /** Event types it runs for: `*` is one token, a last `>` is the rest. */
  events: string | readonly string[]
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
