/** That a function takes no events until it is resumed: what comes meanwhile waits for it. */
export type FunctionPause = {
  /** RFC 3339, UTC: since when. */
  at: string
  /** `operator`: it was asked for. `policy`: too many events in a row failed, see `pauseAfterFailures`. */
  by: 'operator' | 'policy'
  /** Why, in words; at most 200 characters. */
  reason?: string
}

/** A function was paused or resumed, here or by another process of the bus. */
export interface FunctionPauseChange {
  /** Name of the function. */
  function: string
  /** Absent when it was resumed. */
  paused?: FunctionPause
}
