/**
 * What the guest asks of the host: the first argument of each host call. The numbers are written
 * out in `prelude.ts`, which is text for the guest.
 */
export const HostOperation = {
  /** `(LOG, level, message, fieldsJson?)` */
  Log: 1,
  /** `(EMIT, type, dataJson, attributesJson)` */
  Emit: 2,
  /** `(CALL, id, extension, method, encodedArguments)`; answered later by `settle` */
  Call: 3,
  /** `(SET_TIMER, id, delayMs, repeats)`; answered later by `fire` */
  SetTimer: 4,
  /** `(CLEAR_TIMER, id)` */
  ClearTimer: 5,
  /** `(FETCH, id, encodedRequest)`; answered later by `settle` */
  Fetch: 6,
  /** `(ABORT, id)`: nobody waits for that fetch any more */
  Abort: 7,
} as const

/** What the host answers at once; see `QuickJSInstance.onHostCall`. */
export const HostAnswer = {
  Ok: 0,
  /** The capability for it was not granted. */
  Denied: 1,
  /** A limit of this call is reached. */
  Limit: 2,
  /** The arguments are not what the operation takes. */
  Malformed: 3,
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
  stack?: string
  code?: string
  cause?: GuestErrorReport
}
