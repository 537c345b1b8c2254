import type { Profiler } from 'node:inspector'
import { expect, it } from 'vitest'
import { mergeThreadProfiles } from './merge-threads.js'
import { CpuProfile } from './profile.js'

const frame = (functionName: string) => ({
  functionName,
  scriptId: '1',
  url: 'file:///app.js',
  lineNumber: 1,
  columnNumber: 1,
})

/** `(root)` calls `name`, which was seen `samples` times, and the thread was idle once. */
function profileOf(name: string, samples: number, startTime: number): Profiler.Profile {
  return {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [7, 9] },
      { id: 7, callFrame: frame(name) },
      { id: 9, callFrame: frame('(idle)') },
    ],
    startTime,
    endTime: startTime + 100,
    samples: [...Array<number>(samples).fill(7), 9],
    timeDeltas: Array<number>(samples + 1).fill(10),
  }
}

it('the time of every thread is there, below a frame with its name', () => {
  const raw = mergeThreadProfiles([
    { thread: 'main', profile: profileOf('route', 2, 50) },
    { thread: 'sandbox-1', profile: profileOf('interpret', 3, 10) },
    { thread: 'sandbox-2', profile: profileOf('interpret', 4, 20) },
  ])
  expect(raw).toMatchObject({ startTime: 10, endTime: 150 })
  expect(new Set(raw.nodes.map(({ id }) => id)).size).toBe(raw.nodes.length)
  const profile = new CpuProfile(raw, { startedMs: 0, durationMs: 1, samplingInterval: 10 })
  expect(profile.callTree.children).toMatchObject([
    { frame: { name: 'main' }, total: 20, children: [{ frame: { name: 'route' }, self: 20 }] },
    { frame: { name: 'sandbox-1' }, total: 30, children: [{ frame: { name: 'interpret' } }] },
    { frame: { name: 'sandbox-2' }, total: 40, children: [{ frame: { name: 'interpret' } }] },
  ])
  expect(profile.topFunctions()).toMatchObject([
    { name: 'interpret', self: 70 },
    { name: 'route', self: 20 },
  ])
  expect(profile.toPprof().length).toBeGreaterThan(0)
})
