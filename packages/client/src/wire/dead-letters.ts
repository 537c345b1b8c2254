/** An event that a function gave up on. */
export interface FunctionDeadLetter {
  /** Name of the function. */
  function: string
  /** The event; `getEvent` has its data and the logs of the last attempt. */
  event: { id: string; source: string; type: string }
  /** How often the function was tried. */
  attempts: number
  /** RFC 3339, UTC; when the function gave up. */
  deadLetteredAt: string
  /** Why the last attempt failed. */
  error: { code: string; message: string }
}

/** One page of dead letters, function by function, newest first. */
export interface FunctionDeadLetterPage {
  /** Newest first of each function. */
  deadLetters: FunctionDeadLetter[]
  /** How many match, on all pages. */
  total: number
  /** Hand this to the next call; absent on the last page. */
  cursor?: string
}
