import { spawnSync } from 'node:child_process'
import type { MetricsCollector } from '@nexus/metrics'
import { eventually, hasPromtool } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { fullCollector, scrapeText } from './support/full-collector.js'

/** Event loop delays are there once the loop has turned for a while. */
function scrapeOfEverything(collector: MetricsCollector): Promise<string> {
  return eventually(
    () => scrapeText(collector),
    (text) => text.includes('nodejs_eventloop_lag_p99_seconds'),
  )
}

it.skipIf(!hasPromtool())('promtool finds nothing wrong in a scrape of everything', async () => {
  const { collector, close } = fullCollector()
  const text = await scrapeOfEverything(collector)
  close()
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  const { status, stdout, stderr } = promtool
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
