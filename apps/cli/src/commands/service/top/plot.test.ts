import { expect, it } from 'vitest'
import { styleOf } from '../../../terminal/terminal.js'
import { systemdUnit } from '../startup.js'
import { plot } from './plot.js'
import { describeTop } from './top.js'

it('draws the newest values from zero to the largest that is shown', () => {
  expect(plot([0, 25, 50, 100], 10)).toBe('▁▃▅█')
  expect(plot([100, 1, 1], 2)).toBe('██')
  expect(plot([0, 0], 5)).toBe('▁▁')
  expect(plot([], 5)).toBe('')
})

it.each([80, 40])('fits into %i columns, however long names and courses are', (width) => {
  const long = Array.from({ length: 200 }, (_, n) => n)
  const name = 'a-service-with-a-very-long-name'
  const course = { name, state: 'initialising', cpuPercent: long, memoryMb: long }
  const style = { ...styleOf({} as NodeJS.WriteStream), width }
  const lines = describeTop([course], style, '12:00:00').split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width)
  expect(lines[1]).toContain('█')
  expect(lines[1]).toContain('199.0 %')
})

it('writes a systemd unit in which no path means something else', () => {
  const unit = systemdUnit('/opt/no de/node', '/srv/100%/"x"/nexus', '/home/$me')
  expect(unit).toContain('ExecStart="/opt/no de/node" "/srv/100%%/\\"x\\"/nexus" service resurrect')
  expect(unit).toContain('Environment="NEXUS_HOME=/home/$$me"')
})
