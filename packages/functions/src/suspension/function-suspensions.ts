import { setTimeout as delay } from 'node:timers/promises'
import type { EventBus } from '@nexus/event-bus'
import type { ResumeOutcome } from '@nexus/executor'
import { FunctionsError } from '../errors.js'
import { mayBeOf, partsOf } from './call-id.js'
import { type FunctionSuspension, functionSuspension } from './function-suspension.js'
import type { ResumeLinks } from './links/resume-links.js'
import { CALL, readCall, readImage, type StoredSuspension } from './stored-suspension.js'
import { resumeEvent, resumeId, resumeType } from './suspension-events.js'
import { SUSPENSION_SOURCE } from './suspension-source.js'

/** Which suspended calls to list. */
export interface SuspensionQuery {
  /** Of this function. @default of all functions */
  function?: string | undefined
  /** That wait for something of this name. @default any */
  name?: string | undefined
  /** The `next` of the page before. */
  cursor?: string | undefined
  /** Calls looked at for a page, 1 to 1,000. @default 100 */
  limit?: number | undefined
}

/** A page of suspended calls. */
export interface SuspensionPage {
  /** By function, oldest event first. */
  suspensions: FunctionSuspension[]
  /** The `cursor` of the next page; absent on the last one. */
  next?: string
}

/** A resume that the bus has stored. */
export interface ResumeReceipt {
  /** The function whose call goes on. */
  function: string
  /** The event by which it goes on, to follow with `runs`. */
  event: { id: string; source: string }
}

/** What a link of `ctx.resumeUrl` is about. */
export interface OpenedLink {
  /** The name that the function gave to `ctx.suspend`. */
  name: string
  /** What the link resumes with. */
  value?: unknown
  /** The suspension that it resumes; absent where the link was used, the time is over, or the call does not wait yet. */
  waits?: {
    suspensionId: string
    /** Name of the function. */
    function: string
    /** What the function gave to `ctx.suspend`. */
    data?: unknown
  }
}

/** How long to wait for a call that another resume goes on with, and how often to look. */
const BUSY_MS = 5_000
const LOOK_MS = 50

/** The calls of functions that stand still on a bus, on whatever machine they were suspended. */
export class FunctionSuspensions {
  readonly #bus: EventBus
  readonly #names: () => readonly string[]

  readonly #links: ResumeLinks | undefined

  /**
   * @param names of the functions that run here
   * @param links reads those of `ctx.resumeUrl`
   */
  constructor(bus: EventBus, names: () => readonly string[], links?: ResumeLinks) {
    this.#bus = bus
    this.#names = names
    this.#links = links
  }

  /**
   * Calls that stand still, function by function.
   *
   * @throws EventBusError `INVALID_OPTIONS`
   */
  async list({
    function: only,
    name,
    cursor,
    limit = 100,
  }: SuspensionQuery = {}): Promise<SuspensionPage> {
    const [from, after] = readCursor(cursor)
    const functions = only === undefined ? await this.#functions() : [only]
    const suspensions: FunctionSuspension[] = []
    let left = limit
    for (const group of functions.filter((one) => one >= from)) {
      const within = group === from ? after : undefined
      const page = await this.#bus.states.list({ group, kind: CALL, after: within, limit: left })
      for (const { value } of page.entries) {
        const found = functionSuspension(group, value as unknown as StoredSuspension)
        if (name === undefined || found.wakes.some((wake) => wake.name === name))
          suspensions.push(found)
      }
      left -= page.entries.length
      if (page.next !== undefined) return { suspensions, next: `${group}:${page.next}` }
      // The next page begins with the functions behind this one.
      if (left === 0) return { suspensions, next: `${group}:${CALL}.zz` }
    }
    return { suspensions }
  }

  /** A call that still waits for this; undefined when none does. */
  async get(suspensionId: string): Promise<FunctionSuspension | undefined> {
    const found = await this.#find(suspensionId)
    return found && functionSuspension(found.name, found.stored)
  }

  /**
   * Goes on with a call. Of several that try, on whatever machines, one does; its function runs where the bus delivers the
   * event.
   *
   * @param outcome what the wait gives the function; values cross as JSON
   * @throws FunctionsError `SUSPENSION_NOT_FOUND` also when it was resumed before, `SUSPENSION_BUSY` while the call goes on
   *   for another reason, `INVALID_OPTIONS`
   */
  async resume(suspensionId: string, outcome: ResumeOutcome): Promise<ResumeReceipt> {
    const given = checkedOutcome(outcome)
    for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
      const found = await this.#find(suspensionId)
      if (!found) throw notFound(suspensionId)
      const { name, callId, waitId, stored } = found
      const event = resumeEvent(name, callId, stored, waitId, given)
      const { duplicate, id } = await this.#bus.publish(event)
      if (!duplicate) return { function: name, event: { id, source: SUSPENSION_SOURCE } }
      await this.#assertOther(suspensionId, resumeId(callId, stored.leg), waitId)
      if (waitedMs >= BUSY_MS) throw busy(suspensionId)
      await delay(LOOK_MS)
    }
  }

  /** Lets a wait fail with an error whose `code` is `CANCELLED`, so that the function cleans up; see {@link resume}. */
  cancel(suspensionId: string): Promise<ResumeReceipt> {
    const error = { name: 'AbortError', message: 'The suspension was cancelled', code: 'CANCELLED' }
    return this.resume(suspensionId, { success: false, error })
  }

  /**
   * What a link of `ctx.resumeUrl` is about.
   *
   * @param token what follows the last slash of the link
   * @returns undefined when it was not made here, or with a key that is not known any more
   */
  async openLink(token: string): Promise<OpenedLink | undefined> {
    const link = this.#links?.read(token)
    if (!link) return undefined
    const { callId, name, nth, valueJson } = link
    const found = await this.#findCall(callId)
    const wait = found?.stored.suspension.wakes.find(
      (wake) => wake.kind === 'suspend' && wake.name === name && wake.nth === nth,
    )
    const value = valueJson === '' ? {} : { value: JSON.parse(valueJson) as unknown }
    if (!found || !wait) return { name, ...value }
    const { suspensionId, data } = wait
    const asked = { suspensionId, function: found.name, ...(data !== undefined && { data }) }
    return { name, ...value, waits: asked }
  }

  /**
   * Resumes the call that a link is for; see {@link resume}.
   *
   * @throws FunctionsError `SUSPENSION_NOT_FOUND` also when it was used before, or the time of the suspension is over;
   *   `SUSPENSION_BUSY`
   */
  async resumeByLink(token: string): Promise<ResumeReceipt> {
    const link = await this.openLink(token)
    if (!link?.waits) throw notFound('of this link')
    return this.resume(link.waits.suspensionId, { success: true, value: link.value })
  }

  /**
   * The sealed image of a call, to look at it elsewhere.
   *
   * @throws FunctionsError `SUSPENSION_NOT_FOUND`
   */
  async export(suspensionId: string): Promise<Uint8Array> {
    const found = await this.#find(suspensionId)
    const image = found && (await readImage(this.#bus, found.name, found.stored))
    if (image) return image
    throw notFound(suspensionId)
  }

  /** How many calls of each function stand still. */
  async counts(): Promise<Record<string, number>> {
    const functions = await this.#functions()
    const counts = functions.map(
      async (name) => [name, await this.#bus.states.count(name, CALL)] as const,
    )
    return Object.fromEntries(await Promise.all(counts))
  }

  /** The other resume may be of another wait: then this one has its turn after it. */
  async #assertOther(suspensionId: string, eventId: string, waitId: number): Promise<void> {
    const winner = await this.#bus.get(eventId, SUSPENSION_SOURCE)
    const data = winner?.event.data as { waitId?: number } | undefined
    if (data?.waitId === waitId) throw notFound(suspensionId)
  }

  async #find(suspensionId: string) {
    const parts = partsOf(suspensionId)
    if (!parts) return undefined
    const found = await this.#findCall(parts.callId)
    const waits = found?.stored.suspension.wakes.some((wake) => wake.suspensionId === suspensionId)
    return found && waits ? { ...found, ...parts } : undefined
  }

  async #findCall(callId: string) {
    // Most are of functions that run here: what else there is costs a look at the whole bus.
    const here = this.#names()
    const found = await this.#findAmong(here, callId)
    if (found) return found
    const others = (await this.#functions()).filter((name) => !here.includes(name))
    return this.#findAmong(others, callId)
  }

  async #findAmong(names: readonly string[], callId: string) {
    for (const name of names) {
      if (!mayBeOf(callId, name)) continue
      const stored = await readCall(this.#bus, name, callId)
      if (stored) return { name, stored }
    }
    return undefined
  }

  /** Functions that run here or elsewhere, or will again, by name. */
  async #functions(): Promise<string[]> {
    const { store } = await this.#bus.getStats()
    const known = store.groups
      .filter(({ group, patterns }) => patterns.includes(resumeType(group)))
      .map(({ group }) => group)
    return [...new Set([...this.#names(), ...known])].sort()
  }
}

function readCursor(cursor: string | undefined): [group: string, after: string | undefined] {
  if (cursor === undefined) return ['', undefined]
  const at = cursor.indexOf(':')
  return at < 0 ? [cursor, undefined] : [cursor.slice(0, at), cursor.slice(at + 1)]
}

/** As JSON, since it travels as an event. */
function checkedOutcome(outcome: ResumeOutcome): ResumeOutcome {
  if (typeof outcome !== 'object' || outcome === null || typeof outcome.success !== 'boolean') {
    throw new FunctionsError(
      'INVALID_OPTIONS',
      'expected an outcome { success: true, value } or { success: false, error }',
    )
  }
  if (outcome.success) {
    return outcome.value === undefined ? { success: true } : { success: true, value: outcome.value }
  }
  const { error } = outcome
  const { name, message, code } = (
    typeof error === 'string' ? new Error(error) : error
  ) as Error & { code?: string }
  const thrown = { ...(name !== undefined && { name: String(name) }), message: String(message) }
  return { success: false, error: code === undefined ? thrown : { ...thrown, code: String(code) } }
}

function notFound(suspensionId: string): FunctionsError {
  return new FunctionsError(
    'SUSPENSION_NOT_FOUND',
    `there is no suspension ${suspensionId}: it was resumed, its call has ended, or it never was`,
  )
}

function busy(suspensionId: string): FunctionsError {
  return new FunctionsError(
    'SUSPENSION_BUSY',
    `the call of suspension ${suspensionId} goes on for another reason: try again later`,
  )
}
