import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CloudEvent, EventBus } from '@nexus/event-bus'

/** Events read from the store at once, and their bytes: each request under way holds one such read. */
const CHUNK = 100
const CHUNK_BYTES = 256 * 1024

/** Large data is read but not listed: a page reads at most this many times the bytes that it may list. */
const READ_FACTOR = 8

/** What bounds a page of the list, in addition to the number of its events. */
export interface PageLimits {
  /** Bytes of the events as they are listed. */
  maxPageBytes: number
  /** Larger `data` is not listed. */
  maxListedDataBytes: number
}

/** Which page. */
export interface PageQuery {
  limit: number
  type?: string | undefined
  cursor?: string | undefined
}

/** A part of a page. */
export interface PagePart {
  /** Each as JSON. */
  events: string[]
  total: number | undefined
  /** Where the list goes on after this part; undefined at its end. */
  cursor: string | undefined
}

/**
 * Reads a page part by part. It ends at its limit of events, of bytes listed or of bytes read, or with the list; an event that is larger than
 * the limit is a page of its own.
 */
export async function* readPage(
  bus: EventBus,
  { limit, type, cursor: start }: PageQuery,
  limits: PageLimits,
  link: (event: CloudEvent) => string,
): AsyncGenerator<PagePart, void, void> {
  let left = limit
  let bytesLeft = limits.maxPageBytes
  let readLeft = limits.maxPageBytes * READ_FACTOR
  let cursor = start
  const read = async (count: number): Promise<PagePart> => {
    const page = await bus.list({
      limit: count,
      maxPageBytes: Math.min(limits.maxPageBytes, CHUNK_BYTES),
      ...(type !== undefined && { type }),
      ...(cursor !== undefined && { cursor }),
    })
    const { total, cursor: next } = page
    const events = page.events.map(({ event }) => {
      const text = JSON.stringify(event)
      readLeft -= text.length
      return listedText(event, text, limits.maxListedDataBytes, link)
    })
    return { events, total, cursor: next }
  }
  while (left > 0) {
    let part = await read(Math.min(CHUNK, left))
    const fitting = countFitting(part.events, bytesLeft)
    const isFull = fitting < part.events.length
    const wanted = left === limit ? Math.max(1, fitting) : fitting
    // Read once more when it is full, for the cursor behind the last event that fits.
    if (isFull && wanted === 0) part = { events: [], total: part.total, cursor }
    else if (isFull) part = await read(wanted)
    yield part
    if (isFull || part.events.length === 0 || part.cursor === undefined || readLeft <= 0) return
    left -= part.events.length
    bytesLeft -= bytesOf(part.events)
    cursor = part.cursor
    // A store in this process answers at once: without a turn between them a long page would hold up all other requests.
    await nextTurn()
  }
}

/** The JSON of a page, as its parts come: `{ events, total, cursor }`. */
export async function* pageText(
  first: PagePart,
  rest: AsyncIterable<PagePart>,
): AsyncGenerator<string, void, void> {
  yield '{"events":['
  yield first.events.join(',')
  let last = first
  for await (const part of rest) {
    if (part.events.length > 0) yield `,${part.events.join(',')}`
    last = part
  }
  yield ']'
  if (first.total !== undefined) yield `,"total":${first.total}`
  if (last.cursor !== undefined) yield `,"cursor":${JSON.stringify(last.cursor)}`
  yield '}'
}

/** An event as it is listed: large data is left out, and `dataOmitted` has its size and where it is. */
function listedText(
  event: CloudEvent,
  text: string,
  maxDataBytes: number,
  link: (event: CloudEvent) => string,
): string {
  if (text.length * 3 <= maxDataBytes) return text
  const { data, data_base64, ...attributes } = event
  const bytes =
    data_base64 === undefined
      ? Buffer.byteLength(JSON.stringify(data) ?? '')
      : Buffer.byteLength(data_base64, 'base64')
  if (bytes <= maxDataBytes) return text
  return JSON.stringify({ ...attributes, dataOmitted: { bytes, href: link(event) } })
}

function countFitting(events: readonly string[], maxBytes: number): number {
  let left = maxBytes
  const end = events.findIndex((text) => {
    left -= Buffer.byteLength(text) + 1
    return left < 0
  })
  return end === -1 ? events.length : end
}

function bytesOf(events: readonly string[]): number {
  return events.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)
}
