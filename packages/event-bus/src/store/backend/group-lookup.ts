import { EventBusError } from '../../errors.js'

/**
 * The groups with these names, all where no names are said.
 *
 * @throws EventBusError `NOT_FOUND` for a name that no group has
 */
export function groupsNamed<Group extends { name: string }>(
  groups: readonly Group[],
  names: readonly string[] | undefined,
): Group[] {
  const missing = names?.find((name) => !groups.some((group) => group.name === name))
  if (missing !== undefined) {
    throw new EventBusError('NOT_FOUND', `groups: expected names of known groups, got ${missing}`, {
      details: { group: missing },
    })
  }
  return groups.filter(({ name }) => names === undefined || names.includes(name))
}

/**
 * Refuses to remove a group that has a consumer here.
 *
 * @throws EventBusError `GROUP_CONFLICT`
 */
export function assertGroupClosed(name: string, isOpen: boolean): void {
  if (!isOpen) return
  throw new EventBusError(
    'GROUP_CONFLICT',
    `group ${name}: expected no open subscription, close it before removing the group`,
    { details: { group: name } },
  )
}

/** The error for a replay of an event that is not stored. */
export function eventNotFound(id: string): EventBusError {
  return new EventBusError('NOT_FOUND', `id: expected a stored event, got ${id}`, {
    details: { id },
  })
}

/** The error for a new group that is to start at an event that is not stored. */
export function startNotFound(group: string, id: string): EventBusError {
  return new EventBusError(
    'NOT_FOUND',
    `group ${group}: expected the id of a stored event to start from, got ${id}`,
    { details: { group, id } },
  )
}
