import type {
  DeadLetter,
  DeadLetterListQuery,
  DeadLetterPage,
  DeadLetterQuery,
} from '../store/event-store.js'
import { PageSize } from '../store/page-size.js'
import { sequenceOf } from './event-lookup.js'
import type { LogAccess } from './log-access.js'
import type { LogDraft } from './log-draft.js'
import type { DeadEntry, LogEngine } from './log-engine.js'
import { toStoredEvent } from './log-record.js'
import { LAST_STRING } from './postings.js'
import { redeliver } from './redeliver.js'

type Entry = { key: [group: string, sequence: number]; value: DeadEntry }

/** Dead letters changed by one commit. */
const CHUNK = 500

/** One page of dead letters: group by group, newest first. */
export function listDeadLetters(engine: LogEngine, query: DeadLetterListQuery): DeadLetterPage {
  const limit = query.limit ?? 20
  const after = query.cursor === undefined ? undefined : (JSON.parse(query.cursor) as Entry['key'])
  const deadLetters: DeadLetter[] = []
  let last: Entry['key'] | undefined
  const size = new PageSize(query.maxPageBytes)
  for (const { key, value } of deadEntries(engine, query, after)) {
    if (deadLetters.length === limit || size.isFull) {
      return { deadLetters, total: countDead(engine, query), cursor: JSON.stringify(last) }
    }
    last = key
    const record = engine.get('events', key[1])
    if (record === undefined) continue
    size.add(record.json, value.error, value.record)
    deadLetters.push({
      ...toStoredEvent(record),
      group: key[0],
      attempts: value.attempts,
      deadLetteredAt: new Date(value.atMs).toISOString(),
      error: value.error,
      ...(value.record !== undefined && { record: value.record }),
    })
  }
  return { deadLetters, total: countDead(engine, query) }
}

/** Gives dead letters back to their groups with a fresh count of attempts. */
export async function redriveDeadLetters(log: LogAccess, query: DeadLetterQuery): Promise<number> {
  return changeAll(log, query, (draft, { key }) => {
    redeliver(log, draft, key, 'redrive')
  })
}

/** Removes dead letters; the events stay. */
export async function purgeDeadLetters(log: LogAccess, query: DeadLetterQuery): Promise<number> {
  return changeAll(log, query, () => {})
}

async function changeAll(
  log: LogAccess,
  query: DeadLetterQuery,
  change: (draft: LogDraft, entry: Entry) => void,
): Promise<number> {
  const entries = [...deadEntries(log.engine, query)]
  let changed = 0
  for (let at = 0; at < entries.length; at += CHUNK) {
    changed += await log.queue.run((draft) => {
      // Others had their turn meanwhile.
      const left = entries
        .slice(at, at + CHUNK)
        .filter(({ key }) => log.engine.get('dead', key) !== undefined)
        .filter(({ key: [group, sequence] }) => !draft.redelivered.has(`${group} ${sequence}`))
      for (const entry of left) {
        draft.remove('dead', entry.key)
        change(draft, entry)
      }
      return left.length
    })
  }
  return changed
}

function* deadEntries(
  engine: LogEngine,
  query: DeadLetterQuery,
  after?: Entry['key'],
): Generator<Entry> {
  const { id, source } = query
  const only = id === undefined ? undefined : (sequenceOf(engine, { id, source }) ?? -1)
  for (const group of groupsWithDead(engine, query)) {
    if (after !== undefined && group < after[0]) continue
    const newest = after !== undefined && group === after[0] ? after[1] - 1 : undefined
    for (const entry of engine.range('dead', {
      start: [group, newest ?? Number.MAX_SAFE_INTEGER],
      end: [group, -1],
      reverse: true,
    })) {
      if (only === undefined || entry.key[1] === only) yield entry
    }
  }
}

function groupsWithDead(engine: LogEngine, query: DeadLetterQuery): string[] {
  if (query.group !== undefined) return [query.group]
  const names: string[] = []
  for (const { key } of engine.range('groups', { start: '', end: LAST_STRING })) names.push(key)
  return names
}

function countDead(engine: LogEngine, query: DeadLetterQuery): number {
  if (query.id !== undefined) return [...deadEntries(engine, query)].length
  return groupsWithDead(engine, query).reduce(
    (sum, group) =>
      sum + engine.count('dead', { start: [group, 0], end: [group, Number.MAX_SAFE_INTEGER] }),
    0,
  )
}
