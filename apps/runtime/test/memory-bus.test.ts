import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { serve, settled } from './workspace.js'

it('bus: memory runs functions, and leaves nothing on the disk', async () => {
  const { client, send, directory } = await serve({
    'nexus.yaml': 'bus: memory\nfunctions:\n  - { name: one, source: ./one.js, events: [a] }\n',
    'one.js': 'export default () => 1',
  })
  const { id } = await client.publish({ type: 'a' })
  expect((await settled(client, id)).runs).toMatchObject([{ status: 'succeeded', value: 1 }])
  expect(await (await send('/readyz')).json()).toEqual({
    status: 'ready',
    bus: { backend: 'memory', connected: true },
  })
  expect(existsSync(join(directory, '.nexus'))).toBe(false)
})
