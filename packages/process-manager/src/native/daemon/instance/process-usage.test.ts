import { describe, expect, it } from 'vitest'
import { measureAll, parseCpuTime, readUsage } from './process-usage.js'

describe('The usage of a process', () => {
  it.runIf(process.platform === 'linux')('is what the process itself knows of it', () => {
    const usage = readUsage(process.pid)
    const { user, system } = process.cpuUsage()
    expect(usage?.memoryBytes).toBeGreaterThan(process.memoryUsage.rss() / 2)
    expect(usage?.memoryBytes).toBeLessThan(process.memoryUsage.rss() * 2)
    expect(Math.abs((usage?.cpuMs ?? 0) - (user + system) / 1_000)).toBeLessThan(500)
  })

  it('is missing for a process that is gone', async () => {
    const usages = await measureAll([process.pid, 2 ** 22 + 1])
    expect([...usages.keys()]).toEqual([process.pid])
  })

  it.each([
    ['0:00.05', 50],
    ['12:34.5', 754_500],
    ['01:02:03', 3_723_000],
    ['2-00:00:01', 172_801_000],
  ])('is read from what ps prints as %s', (text, ms) => {
    expect(parseCpuTime(text)).toBe(ms)
  })
})
