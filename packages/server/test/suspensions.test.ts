import { WasmRuntime } from '@nexus/executor'
import { FunctionHost, type FunctionSuspensions } from '@nexus/functions'
import { expect, it, onTestFinished } from 'vitest'
import { json, serve } from './serve.js'

const approval = {
  name: 'approval',
  source: `export default async (event, ctx) => {
    try {
      return 'approved by ' + (await ctx.suspend('approval', { total: event.data }))?.by
    } catch (error) {
      return error.code + ': ' + error.message
    }
  }`,
  events: 'order',
}

async function serveApproval() {
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  let host: FunctionHost | undefined
  onTestFinished(async () => {
    await host?.close({ drainTimeoutMs: 0 })
    await runtime.shutdown({ drainTimeoutMs: 0 })
  })
  const suspensions = new Proxy({} as FunctionSuspensions, {
    get:
      (_, key) =>
      (...args: unknown[]) =>
        (host!.suspensions as never as Record<string, (...args: unknown[]) => unknown>)[
          key as string
        ]!(...args),
  })
  const served = await serve({ functions: { suspensions, names: [] } as unknown as FunctionHost })
  host = new FunctionHost({ bus: served.bus, runtime })
  await host.bind([approval])
  const { runs } = await host.publish({ type: 'order', id: 'o1', data: 900 }, { wait: true })
  const id = runs[0]!.suspension!.suspensionId
  const ended = () => expect.poll(async () => (await host!.runs({ id: 'o1' }))?.[0])
  return { ...served, id, ended }
}

it('lists calls that wait, and tells of one', async () => {
  const { send, id } = await serveApproval()
  const list = async (query: string) => (await send(`/api/suspensions${query}`)).json()
  const expected = {
    suspensionId: id,
    function: 'approval',
    name: 'approval',
    data: { total: 900 },
    event: { id: 'o1', type: 'order' },
  }
  expect(await list('?function=approval&name=approval')).toMatchObject({ suspensions: [expected] })
  expect(await list('?name=other')).toEqual({ suspensions: [] })
  expect(await list('?function=other')).toEqual({ suspensions: [] })
  expect(await (await send(`/api/suspensions/${id}`)).json()).toMatchObject(expected)
  const image = await send(`/api/suspensions/${id}/image`)
  expect(
    Buffer.from(await image.arrayBuffer())
      .subarray(0, 4)
      .toString(),
  ).toBe('NXSI')
})

it.each([
  ['a value', { value: { by: 'Ada' } }, 'approved by Ada'],
  ['an error', { error: { message: 'no', code: 'REFUSED' } }, 'REFUSED: no'],
  ['a text', { error: 'too late' }, 'undefined: too late'],
])('resumes with %s, once', async (_, body, value) => {
  const { send, id, ended } = await serveApproval()
  const answer = await send(`/api/suspensions/${id}/resume`, json(body))
  expect([answer.status, await answer.json()]).toMatchObject([202, { function: 'approval' }])
  await ended().toMatchObject({ status: 'succeeded', value })
  const again = await send(`/api/suspensions/${id}/resume`, json(body))
  expect([again.status, await again.json()]).toMatchObject([
    404,
    { error: { code: 'SUSPENSION_NOT_FOUND' } },
  ])
})

it('cancels, so that the function cleans up', async () => {
  const { send, id, ended } = await serveApproval()
  expect((await send(`/api/suspensions/${id}`, { method: 'DELETE' })).status).toBe(202)
  await ended().toMatchObject({ value: 'CANCELLED: The suspension was cancelled' })
})

it.each([
  ['GET', '/api/suspensions/none', undefined, 404],
  ['DELETE', '/api/suspensions/none', undefined, 404],
  ['POST', '/api/suspensions/none/resume', { value: 1 }, 404],
  ['POST', '/api/suspensions/none/resume', { value: 1, error: 'x' }, 400],
  ['POST', '/api/suspensions/none/resume', [1], 400],
  ['GET', '/api/suspensions?limit=0', undefined, 400],
])('refuses %s %s %j with %d', async (method, path, body, status) => {
  const { send } = await serveApproval()
  const answer = await send(path, body === undefined ? { method } : { ...json(body), method })
  expect(answer.status).toBe(status)
})
