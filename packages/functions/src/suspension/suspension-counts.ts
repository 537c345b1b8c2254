/** What a function did with its waits in this process since it was bound first. */
export interface SuspensionCounts {
  /** Calls that were suspended, once for each time. */
  suspended: number
  /** Bytes of their sealed images together. */
  imageBytes: number
  /** Calls that went on. */
  resumed: number
  /** Waits whose time was over: `TIMEOUT` is thrown at their `await`. */
  expired: number
  /** Resumes that could not go on: the call had gone on before, or its image is refused. */
  refused: number
}

/** Counts that begin. */
export function newSuspensionCounts(): SuspensionCounts {
  return { suspended: 0, imageBytes: 0, resumed: 0, expired: 0, refused: 0 }
}
