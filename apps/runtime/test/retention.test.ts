import { expect, it } from 'vitest'
import { serve } from './workspace.js'

it('bus.retention keeps the newest events that every function has finished with', async () => {
  const { client, send } = await serve({
    'nexus.yaml':
      'bus: { retention: { maxEvents: 3 } }\nfunctions:\n  - { name: one, source: ./one.js, events: [a] }\n',
    'one.js': 'export default () => 1',
  })
  for (let n = 0; n < 10; n++) await client.publish({ type: 'a', data: n })
  const kept = async () => {
    await client.publish({ type: 'b' })
    return (await client.listEvents({ limit: 100 })).total
  }
  await expect.poll(kept).toBe(3)
  const scraped = await (await send('/metrics')).text()
  const removed = /^nexus_events_removed_total (\d+)$/m.exec(scraped)?.[1]
  expect(Number(removed)).toBeGreaterThanOrEqual(8)
})
