import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  compactLocalStore,
  EventBus,
  inspectLocalStore,
  localStore,
  recoverLocalStore,
} from '@nexus/event-bus'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let path: string

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'nexus-local-'))
})

afterEach(() => {
  rmSync(path, { recursive: true, force: true })
})

const openBus = (options = {}): Promise<EventBus> =>
  EventBus.open({ store: localStore({ path, ...options }) })

async function filled(count: number): Promise<void> {
  const bus = await openBus()
  await bus.publishBatch(
    Array.from({ length: count }, (_, n) => ({ type: 'a', id: `e${n}`, data: `payload ${n}` })),
  )
  await bus.close()
}

/** A copy of what a process would leave that died now. */
function leftByACrash(directory: string): string {
  const copy = join(directory, 'crashed')
  mkdirSync(copy)
  for (const file of ['events.mdb', 'running'])
    copyFileSync(join(directory, file), join(copy, file))
  return copy
}

describe('one directory', () => {
  it('has one writer, and says so to a second one', async () => {
    const bus = await openBus()
    await expect(openBus()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await bus.close()
    const again = await openBus()
    await again.close()
  })

  it('can be read while another bus writes', async () => {
    const bus = await openBus()
    const reader = await openBus({ readOnly: true })
    await bus.publish({ type: 'a', id: '1' })
    await expect.poll(async () => (await reader.list()).total).toBe(1)
    expect((await reader.get('1'))?.event.id).toBe('1')
    await expect(reader.publish({ type: 'a' })).rejects.toMatchObject({ code: 'READ_ONLY' })
    await expect(reader.subscribe('a', () => {}, { group: 'g' }).ready).rejects.toMatchObject({
      code: 'READ_ONLY',
    })
    await reader.close()
    await bus.close()
  })

  it('notes which attempts run, for the process that comes after a crash', async () => {
    const bus = await openBus()
    let release = (): void => {}
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const started = new Promise<void>((resolve) => {
      const handler = (): Promise<void> => {
        resolve()
        return blocked
      }
      bus.subscribe('a', handler, { group: 'g', start: 'beginning' })
    })
    await bus.publish({ type: 'a', id: 'x' })
    await started
    const whileRunning = readFileSync(join(path, 'running'))
    const crashed = leftByACrash(path)
    release()
    await bus.close()
    expect(whileRunning.toString('utf8', 8)).toContain('["g",1,1]')

    // The next process dies too, before its handler could get the event.
    const between = await EventBus.open({ store: localStore({ path: crashed }) })
    await between.publish({ type: 'b' })
    await new Promise<void>((resolve) => {
      between.subscribe('b', () => resolve(), { group: 'other', start: 'beginning' })
    })
    const crashedAgain = leftByACrash(crashed)
    await between.close()

    const after = await EventBus.open({ store: localStore({ path: crashedAgain }) })
    const attempt = await new Promise<number>((resolve) => {
      after.subscribe('a', (delivery) => resolve(delivery.attempt), { group: 'g' })
    })
    expect(attempt).toBe(2)
    await after.close()
  })
})

it.skipIf(process.platform === 'win32')(
  'keeps a directory that existed, and its files, from others',
  async () => {
    await filled(1)
    chmodSync(path, 0o755)
    for (const file of ['events.mdb', 'running']) chmodSync(join(path, file), 0o644)
    const bus = await openBus()
    await bus.close()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    for (const file of ['events.mdb', 'running', 'writer.lock']) {
      expect(statSync(join(path, file)).mode & 0o777).toBe(0o600)
    }
  },
)

describe('a damaged store', () => {
  it('whose note of running attempts is all zeros starts', async () => {
    await filled(1)
    writeFileSync(join(path, 'running'), Buffer.alloc(4096))
    const bus = await openBus()
    expect((await bus.list()).total).toBe(1)
    await bus.close()
  })

  it('whose log is empty, though a process worked on it, is refused', async () => {
    const bus = await openBus()
    const handled = new Promise((resolve) => bus.on('delivered', resolve))
    await bus.subscribe('a', () => {}, { group: 'g' }).ready
    await bus.publish({ type: 'a' })
    await handled
    await bus.close()
    writeFileSync(join(path, 'events.mdb'), '')
    await expect(openBus()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('that was cut is refused, left as it is, and can be recovered', async () => {
    await filled(2000)
    const file = join(path, 'events.mdb')
    const size = statSync(file).size
    truncateSync(file, Math.floor(size / 2))
    await expect(openBus()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(openBus({ readOnly: true })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(statSync(file).size).toBe(Math.floor(size / 2))
    const inspection = await inspectLocalStore(path)
    expect(inspection.problem).toMatch(/it was cut/)
    expect(inspection.recoverableEvents).toBeGreaterThan(200)
    const to = join(path, 'recovered')
    const recovery = await recoverLocalStore({ from: path, to })
    expect(recovery.events).toBe(inspection.recoverableEvents)
    const bus = await EventBus.open({ store: localStore({ path: to }) })
    const { events, total } = await bus.list({ limit: 3, order: 'asc' })
    expect(total).toBe(recovery.events)
    for (const { event } of events) expect(event.data).toBe(`payload ${event.id.slice(1)}`)
    await bus.close()
    await expect(recoverLocalStore({ from: path, to })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  })

  it('whose beginning is overwritten is refused and can be recovered', async () => {
    await filled(50)
    const file = join(path, 'events.mdb')
    const bytes = readFileSync(file)
    bytes.fill(0, 0, 8192)
    writeFileSync(file, bytes)
    await expect(openBus()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect((await recoverLocalStore({ from: path, to: join(path, 'new') })).events).toBe(50)
  })

  it('with one damaged event reports that event and has the others', async () => {
    await filled(50)
    const file = join(path, 'events.mdb')
    const bytes = readFileSync(file)
    for (let at = bytes.indexOf('payload 7"'); at >= 0; at = bytes.indexOf('payload 7"', at + 1)) {
      bytes.write('PAYLOAD', at)
    }
    writeFileSync(file, bytes)
    const bus = await openBus()
    await expect(bus.get('e7')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect((await bus.get('e8'))?.event.data).toBe('payload 8')
    await bus.close()
    expect((await inspectLocalStore(path)).recoverableEvents).toBe(49)
  })

  it('that is empty is a new one', async () => {
    writeFileSync(join(path, 'events.mdb'), '')
    const bus = await openBus()
    expect((await bus.list()).total).toBe(0)
    await bus.close()
  })
})

it('a compacted store is smaller and has everything', async () => {
  const bus = await openBus({ retention: { maxEvents: 100 } })
  for (let n = 0; n < 5; n++) {
    await bus.publishBatch(
      Array.from({ length: 1000 }, (_, i) => ({
        type: 'a',
        id: `e${n * 1000 + i}`,
        data: 'x'.repeat(500),
      })),
    )
  }
  await expect.poll(async () => (await bus.list()).total).toBe(100)
  await expect(compactLocalStore(path)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await bus.close()
  const { bytesBefore, bytesAfter } = await compactLocalStore(path)
  expect(bytesAfter).toBeLessThan(bytesBefore / 4)
  const again = await openBus()
  expect((await again.list({ limit: 1 })).events[0]?.event.id).toBe('e4999')
  expect((await again.list()).total).toBe(100)
  expect((await again.publish({ type: 'a' })).sequence).toBe(5001)
  await again.close()
})

it('a publish can ask for more than the store gives by itself', async () => {
  const bus = await openBus({ durability: 'os' })
  await bus.publish({ type: 'a', id: 'os' })
  await bus.publish({ type: 'a', id: 'disk' }, { durability: 'disk' })
  expect((await bus.getStats()).store.durability).toBe('os')
  await bus.close()
  const again = await openBus()
  expect((await again.list()).total).toBe(2)
  await again.close()
})
