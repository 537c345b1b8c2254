import { expect, it } from 'vitest'
import { openHost } from './open-host.js'

async function open() {
  const { host } = await openHost([
    { name: 'double', source: 'export default (event) => event.data * 2', events: 'number' },
    {
      name: 'broken',
      source: "export default () => { throw new TypeError('never') }",
      events: '*',
      retry: { maxAttempts: 2, baseDelayMs: 1 },
    },
  ])
  return host
}

it('publishes an event and answers what each function did with it', async () => {
  const host = await open()
  expect(await host.publish({ type: 'number', data: 21 }, { wait: true })).toMatchObject({
    duplicate: false,
    settled: true,
    runs: [
      {
        function: 'broken',
        status: 'dead-lettered',
        attempts: 2,
        error: { name: 'TypeError', message: 'never' },
      },
      { function: 'double', status: 'succeeded', value: 42 },
    ],
  })
})

it('waits for nothing unless it is asked to', async () => {
  const host = await open()
  const { id, ...rest } = await host.publish({ type: 'number', data: 1 })
  expect([typeof id, rest]).toEqual(['string', { duplicate: false }])
})

it.each([{ wait: { timeoutMs: 0 } }, { wait: { timeout: 1 } }, { wait: 'yes' }])(
  'refuses %j',
  async (options) => {
    const host = await open()
    await expect(host.publish({ type: 'number' }, options as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  },
)
