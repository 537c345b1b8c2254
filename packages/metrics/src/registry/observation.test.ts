import { expect, it } from 'vitest'
import { MetricsRegistry } from './registry.js'

async function scrape(registry: MetricsRegistry): Promise<string> {
  let text = ''
  for await (const chunk of registry.scrape()) text += chunk
  return text
}

it('a gauge and a counter can be read at scrape time', () => {
  const registry = new MetricsRegistry()
  let depth = 3
  registry.gauge({ name: 'depth', help: 'Depth.', collect: (observe) => observe(depth) })
  registry.counter({ name: 'seen_total', help: 'Seen.', collect: (observe) => observe(depth * 2) })
  expect(registry.toPrometheus()).toContain('\ndepth 3\n')
  depth = 4
  expect(registry.toPrometheus()).toContain('\ndepth 4\n')
  expect(registry.toPrometheus()).toContain('\nseen_total 8\n')
})

it('label sets that are no longer reported disappear', () => {
  const registry = new MetricsRegistry()
  let groups = ['a', 'b']
  registry.gauge({
    name: 'lag',
    help: 'Lag.',
    labelNames: ['group'],
    collect(observe) {
      for (const group of groups) observe(1, { group })
    },
  })
  expect(registry.toPrometheus()).toContain('lag{group="a"} 1\nlag{group="b"} 1\n')
  groups = ['b']
  expect(registry.toPrometheus()).not.toContain('group="a"')
})

it('one read fills several metrics, and those it does not report are absent', () => {
  const registry = new MetricsRegistry()
  let reads = 0
  const remove = registry.observe({
    metrics: {
      size: { type: 'gauge', name: 'pool_size', help: 'Size.', labelNames: ['state'] },
      made: { type: 'counter', name: 'pool_made_total', help: 'Made.' },
      never: { type: 'gauge', name: 'pool_never', help: 'Never.' },
    },
    collect(observe) {
      reads++
      observe.size(1, { state: 'idle' })
      observe.made(9)
    },
  })
  const text = registry.toPrometheus()
  expect(reads).toBe(1)
  expect(text).toContain('pool_size{state="idle"} 1\n')
  expect(text).toContain('pool_made_total 9\n')
  expect(text).not.toContain('pool_never')
  remove()
  expect(registry.toPrometheus()).toBe('')
  expect(reads).toBe(1)
})

it('a read that fails takes its metrics out, is counted, and harms no other metric', async () => {
  const registry = new MetricsRegistry()
  let broken = false
  registry.gauge({
    name: 'shaky',
    help: 'Shaky.',
    collect(observe) {
      observe(1)
      if (broken) throw new Error('no connection')
    },
  })
  registry.gauge({ name: 'steady', help: 'Steady.' }).set(1)
  expect(registry.toPrometheus()).toContain('\nshaky 1\n')
  broken = true
  const text = await scrape(registry)
  expect(text).not.toContain('\nshaky ')
  expect(text).toContain('\nsteady 1\n')
  expect(registry.toPrometheus()).toContain('failed_collects_total{metric="shaky"} 2\n')
})

it('an asynchronous read is awaited by scrape, and shown as last read by toPrometheus', async () => {
  const registry = new MetricsRegistry()
  registry.gauge({
    name: 'remote',
    help: 'Remote.',
    async collect(observe) {
      await Promise.resolve()
      observe(5)
    },
  })
  expect(registry.toPrometheus()).not.toContain('remote')
  expect(await scrape(registry)).toContain('\nremote 5\n')
  expect(registry.toPrometheus()).toContain('\nremote 5\n')
})

it('a read that hangs is left out after its time, and is not started again meanwhile', async () => {
  const registry = new MetricsRegistry({ collectTimeoutMs: 20 })
  let started = 0
  let finish = () => {}
  registry.gauge({
    name: 'hung',
    help: 'Hung.',
    collect(observe) {
      started++
      return new Promise<void>((resolve) => {
        finish = () => {
          observe(1)
          resolve()
        }
      })
    },
  })
  registry.gauge({ name: 'steady', help: 'Steady.' }).set(1)
  expect(await scrape(registry)).toContain('\nsteady 1\n')
  expect(await scrape(registry)).not.toContain('\nhung ')
  expect(started).toBe(1)
  finish()
  await new Promise(setImmediate)
  expect(registry.getStats().failedCollects).toBe(2)
})
