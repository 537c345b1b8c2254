import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EventBus, systemClock } from '@nexus/event-bus'
import { redisStore } from '@nexus/event-bus-redis'
import {
  bundleWorker,
  hasRedis,
  type ServerProcess,
  startRedis,
  untilTestEnds,
} from '@nexus/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'

const HOUR_MS = 3_600_000
const KEYS = 'nexus:{bus}'

/**
 * Steps the clock of a server. The process that runs the tests cannot set it, and libfaketime does not work with the
 * allocator of Redis: all stored times are moved the other way instead, which is the same to the bus.
 */
async function stepClock(server: ServerProcess, stepMs: number): Promise<void> {
  const redis = new Redis(`redis://${server.address}`)
  const step = `
    local p, step = KEYS[1], tonumber(ARGV[1])
    local function move(key)
      local found = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
      for i = 1, #found, 2 do redis.call('ZINCRBY', key, -step, found[i]) end
    end
    for _, name in ipairs({ 'later:g', 'due:g', 'claims:g', 'processes', 'forget' }) do move(p .. ':' .. name) end
    redis.call('HINCRBY', p .. ':clock', 'last', -step)
    redis.call('HINCRBY', p .. ':meta', 'published', -step)
    if redis.call('EXISTS', p .. ':owner:g') == 1 then redis.call('HINCRBY', p .. ':owner:g', 'lapses', -step) end`
  await redis.eval(step, 1, KEYS, stepMs)
  redis.disconnect()
}

/** Debian's package libfaketime. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

describe.skipIf(!hasRedis())('an event on Redis with a delay', () => {
  /** Whether the event came after its delay, and not minutes later or at once. */
  async function comesAfterItsDelay(publish: (url: string) => Promise<unknown>): Promise<void> {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const url = `redis://${server.address}`
    const bus = await EventBus.open({ store: redisStore({ url }) })
    let came = 0
    const note = (): void => {
      came = Date.now()
    }
    const subscription = bus.subscribe('a', note, { group: 'g' })
    await subscription.ready
    await publish(url)
    await expect.poll(() => came, { timeout: 20_000 }).toBeGreaterThan(0)
    const stored = Date.parse((await bus.get('x'))!.publishedAt)
    expect(Math.abs(stored - Date.now())).toBeLessThan(60_000)
    expect(came - stored).toBeGreaterThanOrEqual(1_500)
    await bus.close()
  }

  for (const minutes of [10, -10]) {
    it(
      `is due by the server's clock, not by one of its publisher that is ${minutes} minutes off`,
      () =>
        comesAfterItsDelay(async (url) => {
          const clock = { ...systemClock, now: () => Date.now() + minutes * 60_000 }
          const publisher = await EventBus.open({ store: redisStore({ url }), clock })
          await publisher.publish({ type: 'a', id: 'x' }, { delayMs: 1_500 })
          await publisher.close()
        }),
      60_000,
    )

    it.skipIf(!existsSync(FAKETIME))(
      `is due by the server's clock, not by one of its publisher's machine that is ${minutes} minutes off`,
      () =>
        comesAfterItsDelay(async (url) => {
          const source = join(import.meta.dirname, 'delayed-publisher.ts')
          const { workerFile } = await untilTestEnds(bundleWorker(source))
          const { stdout } = await promisify(execFile)(process.execPath, [workerFile], {
            env: {
              ...process.env,
              PUBLISH_STORE: url,
              LD_PRELOAD: FAKETIME,
              FAKETIME: `${minutes > 0 ? '+' : '-'}${Math.abs(minutes)}m`,
              FAKETIME_NO_CACHE: '1',
            },
          })
          // The clock of the process was really off.
          const offMs = Number(stdout) - Date.now()
          expect(Math.abs(offMs - minutes * 60_000)).toBeLessThan(60_000)
        }),
      180_000,
    )
  }
})

describe.skipIf(!hasRedis())('a bus on a Redis server whose clock steps', () => {
  const open = (server: ServerProcess) =>
    EventBus.open({ store: redisStore({ url: `redis://${server.address}` }) })

  for (const hours of [1, -1]) {
    it(`runs one handler of a key at a time when the clock steps by ${hours} h`, async () => {
      const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
      const buses = await Promise.all([open(server), open(server)])
      let running = 0
      let most = 0
      let starts = 0
      let finish = (): void => {}
      const finished = new Promise<void>((resolve) => {
        finish = resolve
      })
      for (const bus of buses) {
        const subscription = bus.subscribe(
          'a',
          async () => {
            starts += 1
            running += 1
            most = Math.max(most, running)
            await finished
            running -= 1
          },
          { group: 'g', orderingKey: 'subject', ackWaitMs: 3_000 },
        )
        await subscription.ready
      }
      await buses[0]!.publishBatch(['1', '2'].map((id) => ({ type: 'a', id, subject: 'k' })))
      await expect.poll(() => starts).toBe(1)
      await stepClock(server, hours * HOUR_MS)
      // The waiting process asks whenever it is woken up.
      for (let n = 0; n < 20; n++) {
        await buses[0]!.publish({ type: 'a', subject: 'k' })
        await buses[1]!.getStats()
      }
      expect(starts).toBe(1)
      finish()
      await expect.poll(() => starts, { timeout: 10_000 }).toBe(22)
      expect(most).toBe(1)
      await Promise.all(buses.map((bus) => bus.close()))
    }, 60_000)
  }

  it('goes on with retries and delayed events when the clock is set back', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await open(server)
    const got: string[] = []
    const subscription = bus.subscribe(
      'a',
      ({ event, attempt }) => {
        got.push(`${event.id}${attempt}`)
        if (event.id === 'retry' && attempt === 1) throw new Error('once')
      },
      { group: 'g', retry: { baseDelayMs: 1_500, maxDelayMs: 1_500, jitter: 0 } },
    )
    await subscription.ready
    await bus.publish({ type: 'a', id: 'retry' })
    await expect.poll(async () => (await bus.get('retry'))?.deliveries[0]?.status).toBe('retrying')
    await stepClock(server, -HOUR_MS)
    await expect.poll(() => got, { timeout: 10_000 }).toEqual(['retry1', 'retry2'])
    await bus.close()
  }, 60_000)

  it('stamps events with the right time again after a clock that was ten years ahead', async () => {
    const server = await untilTestEnds(startRedis(['--appendonly', 'no']))
    const bus = await open(server)
    await bus.publish({ type: 'a', id: 'before' })
    await stepClock(server, 87_600 * HOUR_MS)
    await bus.publish({ type: 'a', id: 'ahead' })
    await stepClock(server, -87_600 * HOUR_MS)
    await bus.publish({ type: 'a', id: 'after' })
    const { publishedAt } = (await bus.get('after'))!
    expect(Math.abs(Date.parse(publishedAt) - Date.now())).toBeLessThan(HOUR_MS)
    await bus.close()
  }, 60_000)
})
