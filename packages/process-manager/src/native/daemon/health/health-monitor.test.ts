import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { ServiceProcess } from '../instance/service-process.js'
import { HealthMonitor } from './health-monitor.js'

/** A service that answers these statuses, one check after the other, and then 200. */
async function answering(statuses: readonly number[]): Promise<string> {
  const left = [...statuses]
  const server = createServer((_request, response) => {
    response.writeHead(left.shift() ?? 200, { connection: 'close' }).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** What the monitor says of each check, until it gives the process up or `checks` were made. */
async function verdicts(statuses: readonly number[], failures: number): Promise<string[]> {
  const url = await answering(statuses)
  const said: string[] = []
  const process = { askHealth: null } as ServiceProcess
  const monitor = new HealthMonitor({ url, intervalMs: 1, timeoutMs: 10_000, failures }, process)
  onTestFinished(() => monitor.close())
  await new Promise<void>((over) => {
    const say = (verdict: string) => {
      said.push(verdict)
      if (verdict === 'failed' || said.length === statuses.length) over()
    }
    monitor.watch({
      healthy: () => say('healthy'),
      unhealthy: () => say('unhealthy'),
      failed: () => say('failed'),
    })
  })
  return said
}

it('gives a process up after so many failed checks in a row', async () => {
  expect(await verdicts([503, 503, 503], 3)).toEqual(['unhealthy', 'unhealthy', 'failed'])
  expect(await verdicts([500], 1)).toEqual(['failed'])
})

it('counts only failures in a row: a check that passes begins the count again', async () => {
  const statuses = [503, 503, 200, 503, 503, 204, 503, 503, 503]
  expect(await verdicts(statuses, 3)).toEqual([
    ...['unhealthy', 'unhealthy', 'healthy'],
    ...['unhealthy', 'unhealthy', 'healthy'],
    ...['unhealthy', 'unhealthy', 'failed'],
  ])
})
