/** When a function runs by the clock. */
export interface FunctionSchedule {
  /** Minute, hour, day of the month, month and day of the week. */
  cron: string
  /** A time zone of the IANA database. */
  timeZone: string
  /** What becomes of firings that no runtime made: nothing, one event for the last, or one for each. */
  missed: 'skip' | 'once' | 'all'
  /** With `all` the most that are caught up at once. */
  maxMissed: number
  /** RFC 3339, UTC: the next firing; absent when there is none. */
  nextAt?: string
}

/** That a function takes no events until it is resumed. */
export interface FunctionPause {
  /** RFC 3339, UTC: since when. */
  at: string
  /** `policy`: too many events in a row failed. */
  by: 'operator' | 'policy'
  /** Why, in words. */
  reason?: string
}

/** What `pauseFunction` and `resumeFunction` answer. */
export interface PauseReceipt {
  /** Name of the function. */
  function: string
  /** Null once it is resumed. */
  paused: FunctionPause | null
}

/** A function that the server runs: what starts it, and what it did since the server began. */
export interface FunctionStatus {
  /** Name of the function. */
  name: string
  /** Event types it runs for. */
  events: string[]
  /** Absent where it has no schedule. */
  schedule?: FunctionSchedule
  /** Requests that it answers; absent where it answers none. */
  http?: {
    /** Such as `GET`. */
    method: string[]
    /** Such as `/orders/:id`. */
    path: string
    /** Who may ask: those with the token of the server, or everyone. */
    auth: 'token' | 'none'
  }
  /** Present while it is paused. */
  paused?: FunctionPause
  /** Calls that run. */
  running: number
  /** Attempts that succeeded. */
  succeeded: number
  /** Attempts that failed. */
  failed: number
  /** Events that it gave up on. */
  deadLettered: number
}
