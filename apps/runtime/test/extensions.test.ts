import { expect, it } from 'vitest'
import { json, serve, settled } from './workspace.js'

const files = {
  'nexus.yaml': `functions:
  - name: pass
    source: ./pass.js
    events: [in]
    retry: { maxAttempts: 1 }
    capabilities: ['events:emit:out']
`,
  'pass.js': `export default async (event, ctx) => {
    const { specversion, id, source, type, time, data, ...extensions } = event
    await ctx.emit('out', { own: Object.keys(extensions) }, data ?? extensions)
    return Object.entries(extensions)
  }`,
}
const structured = { 'content-type': 'application/cloudevents+json' }
const extensions = { constructor: 'c', tostring: 't', valueof: 'v', hasownproperty: 'h' }
const event = { specversion: '1.0', id: '1', source: '/s', type: 'in' }

it('an extension named as what every object has goes through a function and out again', async () => {
  const { send, client } = await serve(files)
  const sent = { ...event, ...extensions }
  expect((await send('/api/events', json(sent, structured))).status).toBe(202)
  const { runs, event: got } = await settled(client, '1')
  expect(got).toEqual({ ...sent, time: expect.any(String) })
  expect(runs).toMatchObject([{ status: 'succeeded', value: Object.entries(extensions) }])
  const { events } = await client.listEvents({ type: 'out' })
  expect(events).toHaveLength(1)
  const emitted = await client.getEvent(events[0]!.id)
  expect(emitted.event).toMatchObject({ ...extensions, data: { own: Object.keys(extensions) } })
  for (const name of Object.keys(extensions)) expect(Object.hasOwn(emitted.event, name)).toBe(true)
})

it.each(['__proto__', 'toString', 'with-dash'])(
  'a function cannot emit an extension %s, and its failure names it',
  async (name) => {
    const { send, client } = await serve(files)
    const body = `{"specversion":"1.0","id":"1","source":"/s","type":"in","data":{"${name}":"x"}}`
    expect((await send('/api/events', json(body, structured))).status).toBe(202)
    const { runs, event: got } = await settled(client, '1')
    expect(JSON.stringify(got)).toContain(`"data":{"${name}":"x"}`)
    expect(runs).toMatchObject([
      { status: 'dead-lettered', error: { message: expect.stringContaining(name) } },
    ])
    expect((await client.listEvents({ type: 'out' })).events).toEqual([])
  },
)
