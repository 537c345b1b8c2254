/** Where a page of dead letters ended: they come group by group, newest first. */
export type DeadLetterPosition = [group: string, sequence: number]

/** The cursor of a page that ended here. */
export function deadLetterCursor(position: DeadLetterPosition): string {
  return JSON.stringify(position)
}

/** Where the page before ended; undefined for the first page. `listDeadLetters` gets checked cursors only. */
export function readDeadLetterCursor(cursor: string | undefined): DeadLetterPosition | undefined {
  return cursor === undefined ? undefined : (JSON.parse(cursor) as DeadLetterPosition)
}

/** Whether a dead letter comes after the end of the page before. */
export function isAfterCursor(
  [group, sequence]: DeadLetterPosition,
  after: DeadLetterPosition | undefined,
): boolean {
  if (after === undefined) return true
  return group > after[0] || (group === after[0] && sequence < after[1])
}
