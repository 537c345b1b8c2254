/** What it means for the bus that a key was deleted. */
const CONSEQUENCES: Record<string, string> = {
  events: 'it is made again from the other keys; nothing can be published meanwhile',
  bodies: 'the data of all events is gone with it: what was not handled is lost, publish it again',
  ids: 'it is made again from the events; nothing can be published meanwhile',
  same: 'it is made again from the events; an event of one of its sources may be stored twice',
  indexes: 'it is made again from the events',
  type: 'it is made again from the events',
  source: 'it is made again from the events',
  erased:
    'when and why events were erased is gone; their data stays erased, but a handler that runs at the moment may store a result',
  groups: 'it is made again from its copy',
  'groups-backup': 'it is made again from the groups',
  filling: 'all groups are filled again',
  processes: 'it is made again from the groups',
  process: 'it is made again by the process',
  shared:
    'values that processes share are gone; runtimes that know which functions are paused write that again, where none runs pause them again',
  clock: 'it is made again from its copy',
}

/** The same for a key of one group. */
const OF_GROUP: Record<string, string> = {
  deliveries: 'the results of what it handled are gone',
  members: 'it is made again from the processes',
  states: 'what it kept is gone: calls that its function suspended do not go on',
  'state-keys': 'it is made again from what the group keeps',
  dead: 'its dead letters are listed again from its records',
}

/** One line about a key that was deleted; `name` is what follows the prefix of the bus. */
export function describeLostKey(name: string, server: string): string {
  const [kind, rest] = [name.split(':', 1)[0]!, name.slice(name.indexOf(':') + 1)]
  const consequence = CONSEQUENCES[kind]
  if (consequence !== undefined) {
    return `the key ${name} was deleted on Redis at ${server}: ${consequence}`
  }
  const of = OF_GROUP[kind] ?? 'what it has not handled is given to it again'
  return `group ${rest} lost a key of its work on Redis at ${server} (${name}): ${of}`
}
