import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { negotiateFormat } from '@nexus/metrics'
import { eventually, hasPrometheus, startPrometheus, untilTestEnds } from '@nexus/test-kit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fullCollector } from './support/full-collector.js'

const HOSTILE = 'a"b\\c\nd\r é漢🦀 {x="y"} # EOF \u0000\u2028'
let scraped: Server
const accepted = new Set<string>()
const { collector, close } = fullCollector()

beforeAll(async () => {
  const odd = collector.registry.gauge({ name: 'odd', help: 'Odd.', labelNames: ['text'] })
  odd.set({ text: HOSTILE }, 42)
  odd.set({ text: 'nan' }, Number.NaN)
  odd.set({ text: 'minus infinity' }, Number.NEGATIVE_INFINITY)
  scraped = createServer(async (request, response) => {
    const { format, contentType } = negotiateFormat(request.headers.accept)
    accepted.add(format)
    response.setHeader('Content-Type', contentType)
    await pipeline(collector.registry.scrape({ format }), response)
  })
  await once(scraped.listen(0, '127.0.0.1'), 'listening')
})

afterAll(async () => {
  scraped.closeAllConnections()
  await new Promise((resolve) => scraped.close(resolve))
  close()
})

/** It starts and scrapes beside everything else that runs. */
const patienceMs = 45_000

interface Vector {
  result: { metric: Record<string, string>; value: [number, string] }[]
}

it.skipIf(!hasPrometheus())(
  'Prometheus scrapes everything, and keeps hostile labels and exemplars',
  { timeout: 3 * patienceMs },
  async () => {
    const target = `127.0.0.1:${(scraped.address() as AddressInfo).port}`
    const { address } = await untilTestEnds(startPrometheus(target))
    const ask = async <T>(path: string): Promise<T> => {
      const response = await fetch(`http://${address}/api/v1/${path}`)
      return ((await response.json()) as { data: T }).data
    }
    await eventually(
      () => ask<Vector>('query?query=up'),
      ({ result }) => result[0]?.value[1] === '1',
      patienceMs,
    )
    expect([...accepted]).toEqual(['openmetrics'])

    const { result } = await ask<Vector>('query?query=odd')
    const values = new Map(result.map(({ metric, value }) => [metric.text, value[1]]))
    expect(values.get(HOSTILE)).toBe('42')
    expect(values.get('nan')).toBe('NaN')
    expect(values.get('minus infinity')).toBe('-Inf')

    const failures = await ask<Vector>('query?query=nexus_execution_failures_total')
    expect(failures.result[0]!.metric).toMatchObject({ function: 'order-total', code: 'TIMEOUT' })

    const now = Date.now() / 1000
    const query = `query=nexus_execution_duration_seconds_bucket&start=${now - 300}&end=${now + 60}`
    const exemplars = await ask<{ exemplars: { labels: object }[] }[]>(`query_exemplars?${query}`)
    expect(exemplars[0]!.exemplars[0]!.labels).toEqual({
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    })
  },
)
