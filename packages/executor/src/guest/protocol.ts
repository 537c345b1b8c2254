/** What the guest asks of the host: the first argument of each host call. */
export const HostOperation = {
  /** `(Log, level, message, fieldsJson?)` */
  Log: 1,
  /** `(Emit, type, dataJson, attributesJson)` */
  Emit: 2,
  /** `(Call, id, name, method, encodedArguments)`, or the path of a given global as method of `''`; answered later by `settle` */
  Call: 3,
  /** `(SetTimer, id, delayMs, repeats)`; answered later by `fire` */
  SetTimer: 4,
  /** `(ClearTimer, id)` */
  ClearTimer: 5,
  /** `(Fetch, id, encodedRequest)`; answered later by `settle` */
  Fetch: 6,
  /** `(Abort, id)`: the guest no longer waits for that fetch */
  Abort: 7,
  /** `(TooDeep)`: the prelude refused a value that is nested too deep to be turned into text */
  TooDeep: 8,
  /** `(Print, level, descriptionsJson, indent, kind)`: a line of the console; see `describe-value.ts` */
  Print: 9,
  /** `(LogDescribed, level, message, descriptionJson)`: as `Log`, with fields that JSON does not say all of */
  LogDescribed: 10,
  /** `(Install, part)`: installs a part of the platform, before it answers, by a call of the prelude's `install` */
  Install: 11,
  /** `(Native, name, ...arguments)`: asks a native service; the value that it answers, or text: see `native.ts` */
  Native: 12,
  /** `(NativeLater, id, name, ...arguments)`: the same, answered later by `settle` */
  NativeLater: 13,
  /** `(ReadBody, id, fetchId, all)`: asks for what comes next of the answer to a fetch; answered later by `settle` */
  ReadBody: 14,
  /**
   * `(WriteBody, id, fetchId, encodedBytes, ended)`: the next part of the body of a fetch; answered later by `settle`, when the
   * connection has taken it
   */
  WriteBody: 15,
  /**
   * `(Suspend, id, kind, name, dataJson, dueAt, nth)`: the call may be frozen until the wait is settled. The kind is a place in
   * `WAIT_KINDS`; of an event, the name is a pattern of types, and the data is what must match; of `suspend`, `nth` counts those
   * of the name
   */
  Suspend: 16,
} as const

/** The kinds of waits, by their numbers. */
export const WAIT_KINDS = ['suspend', 'sleep', 'event'] as const

/** What is called of `''` to invoke a function: this and its name, which is also the capability for it. */
export const INVOCATION_PREFIX = 'invoke:'
/** The name by which a call asks for a link that resumes it. */
export const LINK_NAME = 'link:'
/** The name by which a call sends parts of the response that it gives. */
export const RESPONSE_NAME = 'response:'

/** What the host answers at once; see `QuickJSInstance.onHostCall`. */
export const HostAnswer = {
  Ok: 0,
  /** The capability for it was not granted. */
  Denied: 1,
  /** A limit of this call is reached. */
  Limit: 2,
  /** The arguments are not what the operation takes. */
  Malformed: 3,
  /** A value is nested too deep. */
  TooDeep: 4,
  /** A value holds more than the host's thread may be asked to build. */
  TooLarge: 5,
  /** This call cannot be suspended. */
  NotSuspendable: 6,
} as const

/** The guest cuts its texts to this many UTF-16 units (`MAX_TEXT` in the prelude). */
export const GUEST_TEXT_LENGTH = 16_384

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** The severity of a log line. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** An error as the guest describes it: every field is text the guest chose. */
export interface GuestErrorReport {
  name: string
  message: string
  stack?: string | undefined
  code?: string | undefined
  cause?: GuestErrorReport | undefined
}
