import {
  type DeadLetterPosition,
  deadLetterCursor,
  readDeadLetterCursor,
} from '../../store/backend/dead-letter-cursor.js'
import { type DeadLetterState, toDeadLetter } from '../../store/backend/delivery-state.js'
import { PageSize } from '../../store/backend/page-size.js'
import type { DeadLetterListQuery, DeadLetterPage, DeadLetterQuery } from '../../store/queries.js'
import type { Transaction } from '../commit/transaction.js'
import type { LogAccess } from '../log-access.js'
import type { LogEngine } from '../log-engine.js'
import { sequenceOf } from '../query/event-lookup.js'
import { toStoredEvent } from '../query/to-stored-event.js'
import { LAST_STRING } from '../query/value-index.js'
import { redeliver } from './redeliver.js'

interface Entry {
  key: DeadLetterPosition
  value: DeadLetterState
}

/** Dead letters changed by one commit. */
const CHUNK = 500

/** One page of dead letters: group by group, newest first. */
export function listDeadLetters(engine: LogEngine, query: DeadLetterListQuery): DeadLetterPage {
  const limit = query.limit ?? 20
  const page: DeadLetterPage = { deadLetters: [], total: countDead(engine, query) }
  const size = new PageSize(query.maxPageBytes)
  let last: DeadLetterPosition | undefined
  for (const { key, value } of deadEntries(engine, query, readDeadLetterCursor(query.cursor))) {
    if (page.deadLetters.length === limit || size.isFull) {
      page.cursor = deadLetterCursor(last!)
      break
    }
    last = key
    const record = engine.get('events', key[1])
    if (record === undefined) continue
    size.add(record.json, value.error, value.record)
    page.deadLetters.push(toDeadLetter(toStoredEvent(record), key[0], value))
  }
  return page
}

/** Gives dead letters back to their groups with a fresh count of attempts. */
export async function redriveDeadLetters(log: LogAccess, query: DeadLetterQuery): Promise<number> {
  return endAll(log, query, (transaction, key) => {
    redeliver(log, transaction, key, 'redrive')
  })
}

/** Removes dead letters; the events stay. */
export async function purgeDeadLetters(log: LogAccess, query: DeadLetterQuery): Promise<number> {
  return endAll(log, query, () => {})
}

async function endAll(
  log: LogAccess,
  query: DeadLetterQuery,
  change: (transaction: Transaction, key: DeadLetterPosition) => void,
): Promise<number> {
  let ended = 0
  let after: DeadLetterPosition | undefined
  for (;;) {
    const keys = nextKeys(log.engine, query, after)
    after = keys.at(-1)
    if (after === undefined) return ended
    ended += await log.queue.run((transaction) => {
      // Others had their turn meanwhile.
      const left = keys
        .filter((key) => log.engine.get('dead', key) !== undefined)
        .filter(([group, sequence]) => !transaction.redelivered.has(`${group} ${sequence}`))
      for (const key of left) {
        transaction.remove('dead', key)
        change(transaction, key)
      }
      return left.length
    })
  }
}

/** The next ones of a long list; one that is given up again meanwhile is not met twice. */
function nextKeys(
  engine: LogEngine,
  query: DeadLetterQuery,
  after: DeadLetterPosition | undefined,
): DeadLetterPosition[] {
  const keys: DeadLetterPosition[] = []
  for (const { key } of deadEntries(engine, query, after)) {
    keys.push(key)
    if (keys.length === CHUNK) break
  }
  return keys
}

function* deadEntries(
  engine: LogEngine,
  query: DeadLetterQuery,
  after?: DeadLetterPosition,
): Generator<Entry> {
  const { id, source } = query
  const only = id === undefined ? undefined : (sequenceOf(engine, { id, source }) ?? -1)
  for (const group of groupsWithDead(engine, query)) {
    if (after !== undefined && group < after[0]) continue
    const newest = after !== undefined && group === after[0] ? after[1] - 1 : undefined
    if (only !== undefined) {
      const value = engine.get('dead', [group, only])
      if (value !== undefined && only <= (newest ?? only)) yield { key: [group, only], value }
      continue
    }
    yield* engine.range('dead', {
      start: [group, newest ?? Number.MAX_SAFE_INTEGER],
      end: [group, -1],
      reverse: true,
    })
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
