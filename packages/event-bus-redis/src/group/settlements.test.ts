import { EventBusError } from '@nexus/event-bus'
import { expect, it } from 'vitest'
import { ACK } from '../scripts/settle.js'
import type { RedisClaim } from './redis-claim.js'
import { type RunScript, Settlements } from './settlements.js'

const claim = (id: string): RedisClaim => ({
  event: { specversion: '1.0', id, source: 's', type: 't', time: '2026-01-01T00:00:00Z' },
  eventJson: '{}',
  sequence: 1,
  publishedAt: '2026-01-01T00:00:00Z',
  attempt: 1,
  replay: 0,
  work: id,
  token: 'token',
  isBegun: true,
})

const ack = { kind: 'ack' as const, emit: [], durationMs: 1 }

function open(answer: (script: string, works: unknown[]) => unknown) {
  const run: RunScript = async (script, args) => answer(script, [...args])
  return new Settlements('g', 1_000, run, () => {})
}

const failure = (name: string, message: string) =>
  new EventBusError('STORE_UNAVAILABLE', message, {
    cause: Object.assign(new Error(message), { name }),
  })

it('says which settlement the server refuses for good, and settles its neighbours', async () => {
  const settlements = open((_, args) => {
    if (args.includes('bad')) throw failure('ReplyError', 'ERR it does not fit')
    return args.slice(1).flatMap((_, i) => (i % 3 === 0 ? [1] : []))
  })
  const settled = await Promise.allSettled(
    ['1', 'bad', '2'].map((id) => settlements.send(claim(id), ack)),
  )
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const { reason } = settled[1] as PromiseRejectedResult
  expect(reason).toMatchObject({ code: 'SETTLEMENT_REFUSED' })
  expect(reason.message).toContain('it does not fit')
})

for (const [name, message] of [
  ['Error', 'Connection is closed.'],
  ['ReplyError', "OOM command not allowed when used memory > 'maxmemory'."],
  ['ReplyError', "READONLY You can't write against a read only replica."],
] as const) {
  it(`lets a settlement be sent again after ${message}`, async () => {
    let away = true
    const settlements = open((script) => {
      expect(script).toBe(ACK)
      if (away) throw failure(name, message)
      return [1]
    })
    await expect(settlements.send(claim('1'), ack)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    away = false
    expect(await settlements.send(claim('1'), ack)).toEqual({ stored: true, emitted: [] })
  })
}
