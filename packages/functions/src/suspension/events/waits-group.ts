/** What the names of the groups begin with that look for events that suspended calls wait for. */
export const WAITS_PREFIX = 'nexus-waits-'
const CAPABILITY = 'events:wait:'

/** The group that looks for events that calls of a function wait for. */
export function waitsGroup(functionName: string): string {
  return `${WAITS_PREFIX}${functionName}`
}

/** Whether a group is one of a function's waits, and runs no function. */
export function isWaitsGroup(group: string): boolean {
  return group.startsWith(WAITS_PREFIX)
}

/** The types of events that a function may wait for. */
export function waitPatterns(capabilities: readonly string[] = []): string[] {
  return capabilities
    .filter((token) => token.startsWith(CAPABILITY))
    .map((token) => token.slice(CAPABILITY.length))
}
