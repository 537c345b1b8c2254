import { MetricsRegistry } from '@nexus/metrics'
import { expect, it, vi } from 'vitest'

function registryWith(series: number): MetricsRegistry {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: series })
  const hits = registry.counter({ name: 'hits_total', help: 'Hits.', labelNames: ['user'] })
  for (let user = 0; user < series; user++) hits.inc({ user }, user)
  return registry
}

it('a scrape in chunks is the same text as one in one go', async () => {
  const registry = registryWith(20_000)
  for (const format of ['text', 'openmetrics'] as const) {
    const chunks: string[] = []
    for await (const chunk of registry.scrape({ format })) chunks.push(chunk)
    expect(chunks.length).toBeGreaterThan(5)
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(80_000)
    expect(chunks.join('')).toBe(registry.toPrometheus({ format }))
  }
})

it('a scrape gives way to other work whenever its slice of time is over', async () => {
  const registry = registryWith(6_400)
  let time = 0
  // Every look at the clock finds the slice over.
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (time += 100))
  let turns = 0
  let done = false
  const spin = () => {
    turns++
    if (!done) setImmediate(spin)
  }
  setImmediate(spin)
  for await (const _ of registry.scrape());
  done = true
  clock.mockRestore()
  expect(turns).toBeGreaterThanOrEqual(99)
})

it('series that come, go and change in the middle of a scrape do not break it', async () => {
  const registry = registryWith(10_000)
  const hits = registry.get('hits_total')!
  const lines: string[] = []
  let removed = 0
  for await (const chunk of registry.scrape()) {
    lines.push(...chunk.split('\n').slice(0, -1))
    hits.remove({ user: 9_999 - removed++ })
  }
  const samples = lines.filter((line) => !line.startsWith('#'))
  expect(samples.every((line) => /^hits_total\{user="\d+"\} \d+$/.test(line))).toBe(true)
  expect(new Set(samples).size).toBe(samples.length)
  expect(samples.length).toBeGreaterThanOrEqual(10_000 - removed)
})

it('a scrape that is given up stops at once', async () => {
  const registry = registryWith(10_000)
  for await (const chunk of registry.scrape()) {
    expect(chunk).toContain('hits_total')
    break
  }
  expect(registry.getStats().series).toBe(10_000)
})
