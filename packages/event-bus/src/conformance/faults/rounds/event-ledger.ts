import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventBus } from '../../../event-bus.js'
import { FAULT_ATTEMPTS } from './fault-worker.js'

/** What became of all events that were acked. */
export interface EventLedger {
  /** Publishes that were acked. */
  acked: number
  /** Events that were handled, both groups together. */
  handled: number
  /** Dead letters, both groups together. */
  deadLettered: number
  /** Acked before the server was emptied, and never handled. */
  saidLost: number
  /** Handlers that ran again for an event that was handled before. */
  handledAgain: number
  /** Events that handlers emitted. */
  emitted: number
}

/** What happened that excuses some of what the notes say. */
export interface LedgerExcuses {
  /** When the server was emptied, by the shared clock. */
  emptiedAtMs: readonly number[]
  /** Processes with different patterns shared the groups: only events of one type come in order. */
  isMixed: boolean
  /** Clocks were stepped: events may have come before their time. */
  isStepped: boolean
}

/** Events whose ack was written down this long after a loss may have been stored before it. */
const ACK_NOTED_MS = 1_500
const GROUPS = ['ordered', 'emitter']

/**
 * Adds up what the processes wrote down, and checks the promises.
 *
 * @throws AssertionError naming `about` when a promise was broken
 */
export async function readLedger(
  directory: string,
  bus: EventBus,
  about: string,
  { emptiedAtMs, isMixed, isStepped }: LedgerExcuses,
): Promise<EventLedger> {
  const lines = (file: string): string[][] => notes(directory, file)
  const lastEmptiedMs = Math.max(Number.NEGATIVE_INFINITY, ...emptiedAtMs)
  const acked = lines('acked') as [id: string, type: string, atMs: string][]
  const handled = lines('handled') as [group: string, id: string, type: string, atMs: string][]
  const saidMs = lines('emptied').map(([atMs]) => Number(atMs))
  const dead = new Set(lines('dead').map((words) => words.join(' ')))
  for (const { group, event } of await allDeadLetters(bus)) dead.add(`${group} ${event.id}`)
  const done = new Set(handled.map(([group, id]) => `${group} ${id}`))

  const ledger: EventLedger = {
    acked: acked.length,
    handled: 0,
    deadLettered: 0,
    saidLost: 0,
    handledAgain: handled.length - done.size,
    emitted: 0,
  }
  const missing: string[] = []
  for (const [id, , atMs] of acked) {
    for (const group of GROUPS) {
      const one = `${group} ${id}`
      if (done.has(one)) ledger.handled += 1
      else if (dead.has(one)) ledger.deadLettered += 1
      else if (Number(atMs) < lastEmptiedMs + ACK_NOTED_MS) ledger.saidLost += 1
      else missing.push(one)
    }
  }
  const [first] = missing
  const where = first === undefined ? '' : await whereIs(first, acked, lastEmptiedMs, bus)
  assert.deepEqual(
    missing,
    [],
    `${about}: acked events that a group neither handled nor gave up${where}`,
  )
  const starts = new Map<string, number>()
  for (const [group, id, attempt] of lines('started')) {
    const count = (starts.get(`${group} ${id}`) ?? 0) + 1
    starts.set(`${group} ${id}`, count)
    assert.ok(Number(attempt) <= FAULT_ATTEMPTS, `${about}: ${id} got attempt ${attempt}`)
  }
  const tooOften = [...starts].filter(([one, count]) => count > FAULT_ATTEMPTS && !isEarlier(one))
  assert.deepEqual(tooOften, [], `${about}: handlers that were started too often`)
  /** An emptied server forgets attempts too; what is published again after that begins again. */
  function isEarlier(one: string): boolean {
    const found = acked.find(([id]) => one.endsWith(` ${id}`))
    return found !== undefined && Number(found[2]) < lastEmptiedMs + ACK_NOTED_MS
  }

  const unordered = acked.filter(([, , atMs]) => isRestoring(Number(atMs), emptiedAtMs, saidMs))
  assertOrder(handled, new Set(unordered.map(([id]) => id)), isMixed, about)
  if (!isStepped)
    assert.deepEqual(lines('early'), [], `${about}: events that came before their time`)
  const idOf = new Map<string, string>()
  for (const [of, id] of lines('emitted') as [string, string][]) {
    assert.equal(id, idOf.get(of) ?? id, `${about}: ${of} emitted under two ids`)
    idOf.set(of, id)
  }
  const stored = await allEmitted(bus)
  assert.equal(stored.length, new Set(stored).size, `${about}: events emitted more often than once`)
  const unseen = stored.filter((of) => !idOf.has(of))
  assert.deepEqual(unseen, [], `${about}: emitted events that were never handled`)
  const silent = acked.filter(
    ([id]) => done.has(`emitter ${id}`) && !idOf.has(id) && !isEarlier(` ${id}`),
  )
  const unsent = silent.map(([id]) => id).filter((id) => !dead.has(`emitter ${id}`))
  assert.deepEqual(unsent, [], `${about}: handled events for which nothing was emitted`)
  ledger.emitted = idOf.size
  return ledger
}

/**
 * Waits until a worker has said that the server was emptied at that time, or later.
 *
 * @throws AssertionError when none does within `patienceMs`
 */
export async function untilEmptiedIsSaid(
  directory: string,
  emptiedAtMs: number,
  patienceMs: number,
): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (notes(directory, 'emptied').every(([atMs]) => Number(atMs) < emptiedAtMs)) {
    assert.ok(performance.now() < deadline, 'no worker said that the server was emptied')
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** What is known of an event that is missing. */
async function whereIs(
  one: string,
  acked: readonly string[][],
  lastEmptiedMs: number,
  bus: EventBus,
): Promise<string> {
  const id = one.slice(one.indexOf(' ') + 1)
  const [, , atMs] = acked.find((words) => words[0] === id)!
  const found = await bus.get(id)
  const stored = found === undefined ? 'not stored' : JSON.stringify(found.deliveries)
  return `; the first, ${one}, was acked ${Number(atMs) - lastEmptiedMs} ms after the server was emptied last, and is ${stored}`
}

/** The words of each line of a file. */
function notes(directory: string, file: string): string[][] {
  const path = join(directory, file)
  // The last line may have been cut by a kill: then it was not noted.
  const text = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  return text.map((line) => line.split(' '))
}

/**
 * Whether groups were being restored. Until all processes have noticed that the server was emptied, a new one may have begun a
 * group again at the end of the log; what was published before comes after that.
 */
function isRestoring(atMs: number, emptiedAtMs: readonly number[], saidMs: readonly number[]) {
  return emptiedAtMs.some((fromMs, i) => {
    const nextMs = emptiedAtMs[i + 1] ?? Number.POSITIVE_INFINITY
    const said = saidMs.filter((ms) => ms >= fromMs && ms < nextMs)
    return atMs >= fromMs && atMs < Math.max(fromMs, ...said) + ACK_NOTED_MS
  })
}

/** The first handling of what was published one after the other, and was not delayed, comes in that order. */
function assertOrder(
  handled: readonly string[][],
  unordered: ReadonlySet<string>,
  isMixed: boolean,
  about: string,
): void {
  const last = new Map<string, number>()
  const seen = new Set<string>()
  for (const [group, id, type] of handled as [string, string, string][]) {
    const [key, n, kind] = id.split('-') as [string, string, string]
    if (group !== 'ordered' || kind !== 'plain' || unordered.has(id) || seen.has(id)) continue
    seen.add(id)
    const lane = isMixed ? `${key} ${type}` : key
    const before = last.get(lane) ?? -1
    assert.ok(Number(n) > before, `${about}: ${id} was handled after number ${before} of its key`)
    last.set(lane, Number(n))
  }
}

async function allDeadLetters(bus: EventBus) {
  const { deadLetters, cursor } = await bus.deadLetters.list({ limit: 500 })
  for (let next = cursor; next !== undefined; ) {
    const page = await bus.deadLetters.list({ limit: 500, cursor: next })
    deadLetters.push(...page.deadLetters)
    next = page.cursor
  }
  return deadLetters
}

/** For which event each stored event was emitted. */
async function allEmitted(bus: EventBus): Promise<string[]> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    const page = await bus.list({
      type: 'fault.out',
      limit: 500,
      ...(cursor !== undefined && { cursor }),
    })
    found.push(...page.events.map(({ event }) => (event.data as { of: string }).of))
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}
