import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { bundleWorker, untilTestEnds } from '@nexus/test-kit'
import { expect, it, onTestFinished } from 'vitest'
import { checkLogFile } from '../src/local/repair/check-file.js'
import type { DamageReport } from './damaged-store-worker.js'

const PAGE_BYTES = 4_096
const EVENTS = 60
/** Places of a page's header: number, transaction, flags, ends of offsets and nodes, first offset. */
const HEADER = [0, 8, 18, 20, 22, 24]
/** Wrong bytes of each page, one after the other: one in its header, the others anywhere. */
const FLIPS = 3

/** What the store had, as `id data`. */
const rightEvents = new Set([
  ...Array.from({ length: EVENTS }, (_, n) => `e${n} ${dataOf(n)}`),
  `large ${'y'.repeat(20_000)}`,
  'delayed undefined',
])

function dataOf(n: number): string {
  return `${n} ${'x'.repeat(200)}`
}

/** A store with something in every table, and an event that takes several pages. */
async function makeStore(path: string): Promise<Buffer> {
  const bus = await EventBus.open({ store: localStore({ path }) })
  const options = { group: 'g', retry: { maxAttempts: 1 } }
  await bus.subscribe(
    'a',
    ({ event }) => {
      if (event.id === 'e3') throw new Error('no')
    },
    options,
  ).ready
  for (let n = 0; n < EVENTS; n++) await bus.publish({ type: 'a', id: `e${n}`, data: dataOf(n) })
  await bus.publish({ type: 'b', id: 'large', data: 'y'.repeat(20_000) })
  await bus.publish({ type: 'later', id: 'delayed' }, { delayMs: 3_600_000 })
  await expect.poll(async () => (await bus.getStats()).delivered).toBe(EVENTS - 1)
  await bus.close()
  return readFileSync(join(path, 'events.mdb'))
}

/** Processes that examine damaged stores: damage may end one. */
class Examiner {
  readonly #workerFile: string
  #child: ChildProcess | undefined

  constructor(workerFile: string) {
    this.#workerFile = workerFile
  }

  async examine(path: string): Promise<DamageReport | { died: string } | { thrown: string }> {
    this.#child ??= fork(this.#workerFile)
    const child = this.#child
    child.send(path)
    const answered = new AbortController()
    const { signal } = answered
    const answer = once(child, 'message', { signal }).then(([report]) => report as DamageReport)
    const death = once(child, 'exit', { signal }).then(([code, killedBy]) => {
      this.#child = undefined
      return { died: `${code ?? killedBy}` }
    })
    answer.catch(() => {})
    death.catch(() => {})
    return Promise.race([answer, death]).finally(() => answered.abort())
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
  }
}

it('a page that is zeroed or has a wrong byte is reported as damage, or does no harm', async () => {
  const source = join(import.meta.dirname, 'damaged-store-worker.ts')
  const { workerFile } = await untilTestEnds(bundleWorker(source))
  const directory = mkdtempSync(join(tmpdir(), 'nexus-pages-'))
  const examiner = new Examiner(workerFile)
  onTestFinished(() => {
    examiner.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const whole = join(directory, 'whole')
  const bytes = await makeStore(whole)
  let refused = 0
  let places = 0
  const damage = async (what: string, change: (copy: Buffer) => void): Promise<void> => {
    const copy = Buffer.from(bytes)
    change(copy)
    const path = join(directory, `damaged-${places++}`)
    mkdirSync(path)
    copyFileSync(join(whole, 'running'), join(path, 'running'))
    writeFileSync(join(path, 'events.mdb'), copy)
    const report = await examiner.examine(path)
    expect(report, what).toHaveProperty('recovered')
    const { events, failure, problem, recovered, recoverable } = report as DamageReport
    if (failure !== undefined) {
      refused += 1
      expect(failure.code, `${what}: ${failure.text}`).toBe('STORE_CORRUPT')
      expect(failure.text, what).toContain('recoverLocalStore')
      expect(problem, `${what}: ${failure.text}`).toBeDefined()
    }
    for (const event of [...events, ...recovered]) {
      expect(rightEvents.has(event), `${what}: ${event}`).toBe(true)
    }
    // One page has at most 14 of these events.
    expect(recoverable, what).toBeGreaterThan(EVENTS - 16)
    for (const end of ['', '-new']) rmSync(`${path}${end}`, { recursive: true, force: true })
  }
  let state = 1
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state % below
  }
  for (let page = 0; page * PAGE_BYTES < bytes.length; page++) {
    const start = page * PAGE_BYTES
    await damage(`page ${page} zeroed`, (copy) => copy.fill(0, start, start + PAGE_BYTES))
    const anywhere = Array.from({ length: FLIPS - 1 }, () => random(PAGE_BYTES))
    const offsets = [HEADER[page % HEADER.length]!, ...anywhere]
    for (const offset of offsets) {
      const bit = 1 << random(8)
      await damage(`page ${page}, byte ${offset} ^ ${bit}`, (copy) => {
        copy[start + offset]! ^= bit
      })
    }
  }
  console.log(`${places} damaged stores, ${refused} refused`)
  expect(refused).toBeGreaterThan(places / 10)
}, 600_000)

it('every wrong bit of what may be a page number is reported as damage, or does no harm', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-pages-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const bytes = await makeStore(directory)
  const path = join(directory, 'events.mdb')
  const pages = BigInt(bytes.length / PAGE_BYTES)
  let refused = 0
  let places = 0
  // Meta pages excepted: their numbers choose what is read at all.
  for (let at = 2 * PAGE_BYTES; at + 8 <= bytes.length; at += 2) {
    const number = bytes.readBigInt64LE(at)
    if (number === 0n || number < -pages || number >= pages) continue
    for (let bit = 0; bit < 64; bit += 1 + (places % 5)) {
      const copy = Buffer.from(bytes)
      copy[at + (bit >> 3)]! ^= 1 << (bit & 7)
      writeFileSync(path, copy)
      places += 1
      try {
        await checkLogFile(path)
      } catch (error) {
        refused += 1
        expect(error, `byte ${at}, bit ${bit}`).toMatchObject({ code: 'STORE_CORRUPT' })
      }
    }
  }
  console.log(`${places} wrong bits, ${refused} refused`)
  expect(refused).toBeGreaterThan(places / 5)
})

it('a reader is refused a damaged log as well', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-pages-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const bytes = await makeStore(directory)
  const open = () => EventBus.open({ store: localStore({ path: directory, readOnly: true }) })
  const reader = await open()
  expect((await reader.list({ limit: 100 })).events).toHaveLength(EVENTS + 2)
  await reader.close()
  const lastLeaf = Array.from({ length: bytes.length / PAGE_BYTES }, (_, page) => page).findLast(
    (page) => bytes.readUInt16LE(page * PAGE_BYTES + 18) === 2,
  )!
  bytes.fill(0, lastLeaf * PAGE_BYTES, (lastLeaf + 1) * PAGE_BYTES)
  writeFileSync(join(directory, 'events.mdb'), bytes)
  await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})
