import { EventBusError } from '@nexus/event-bus'
import { expect, it } from 'vitest'
import { ACK, SETTLE } from '../scripts/settle.js'
import type { RedisClaim } from './redis-claim.js'
import { type RunScript, Settlements } from './settlements.js'

const claim = (id: string): RedisClaim => ({
  event: { specversion: '1.0', id, source: 's', type: 't', time: '2026-01-01T00:00:00Z' },
  sequence: 1,
  publishedAt: '2026-01-01T00:00:00Z',
  attempt: 1,
  replay: 0,
  work: id,
  token: 'token',
})

const ack = { kind: 'ack' as const, emit: [], durationMs: 1 }

function open(answer: (script: string, works: unknown[]) => unknown) {
  const refused: EventBusError[] = []
  const run: RunScript = async (script, args) => answer(script, [...args])
  const settlements = new Settlements('g', 1_000, run, {
    maxValueBytes: () => 1_000_000,
    onSettled() {},
    onRefused: (error) => refused.push(error),
  })
  return { settlements, refused }
}

const failure = (name: string, message: string) =>
  new EventBusError('STORE_UNAVAILABLE', message, {
    cause: Object.assign(new Error(message), { name }),
  })

it('gives up the event whose settlement the server refuses for good, and settles its neighbours', async () => {
  const letters: unknown[][] = []
  const { settlements, refused } = open((script, args) => {
    if (script === SETTLE) {
      letters.push(args)
      return [[1, []]]
    }
    if (args.includes('bad')) throw failure('ReplyError', 'ERR it does not fit')
    return args.slice(1).flatMap((_, i) => (i % 3 === 0 ? [1] : []))
  })
  const settled = await Promise.all(['1', 'bad', '2'].map((id) => settlements.send(claim(id), ack)))
  expect(settled.map(({ stored }) => stored)).toEqual([true, true, true])
  expect(letters).toHaveLength(1)
  expect(letters[0]).toContain('dead-letter')
  expect(letters[0]!.join()).toContain('it does not fit')
  expect(refused.map(({ code }) => code)).toEqual(['STORE_FAILED'])
})

for (const [name, message] of [
  ['Error', 'Connection is closed.'],
  ['ReplyError', "OOM command not allowed when used memory > 'maxmemory'."],
  ['ReplyError', "READONLY You can't write against a read only replica."],
] as const) {
  it(`lets a settlement be sent again after ${message}`, async () => {
    let away = true
    const { settlements, refused } = open((script) => {
      expect(script).toBe(ACK)
      if (away) throw failure(name, message)
      return [1]
    })
    await expect(settlements.send(claim('1'), ack)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    away = false
    expect(await settlements.send(claim('1'), ack)).toEqual({ stored: true, emitted: [] })
    expect(refused).toEqual([])
  })
}
