import { profileProcess } from '@nexus/profiler'
import { expect, it, vi } from 'vitest'

/** Other threads, one of which was busy for 2 ms in one function. */
function otherThreads() {
  const callFrame = { functionName: 'work', scriptId: '1', url: '', lineNumber: 0, columnNumber: 0 }
  const profile = {
    nodes: [
      { id: 1, callFrame: { ...callFrame, functionName: '(root)' }, children: [2] },
      { id: 2, callFrame, hitCount: 2 },
    ],
    startTime: 0,
    endTime: 2_000,
    samples: [2, 2],
    timeDeltas: [1_000, 1_000],
  }
  return { start: vi.fn(), stop: vi.fn(async () => [{ thread: 'worker-1', profile }]) }
}

it('reports what the process and its other threads did, as JSON', async () => {
  const threads = otherThreads()
  const report = await profileProcess({ durationMs: 50, threads })
  expect(threads.start).toHaveBeenCalledOnce()
  expect(report.durationMs).toBeGreaterThanOrEqual(45)
  expect(report.process.residentBytes).toBeGreaterThan(1_000_000)
  expect(report.threads).toMatchObject([{ name: 'worker-1', code: [{ name: 'work', share: 1 }] }])
  expect(report.cpuProfile.profile).toMatchObject({ nodes: expect.any(Array) })
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
})

it('ends early with what it has', async () => {
  const end = new AbortController()
  const taken = profileProcess({ durationMs: 3_600_000, endSignal: end.signal })
  end.abort()
  expect((await taken).durationMs).toBeLessThan(60_000)
})

it('reports nothing once it is given up, and ends the profiles of the threads', async () => {
  const threads = otherThreads()
  const given = new AbortController()
  const taken = profileProcess({ durationMs: 3_600_000, signal: given.signal, threads })
  given.abort(new Error('the client is gone'))
  await expect(taken).rejects.toThrow('the client is gone')
  expect(threads.stop).toHaveBeenCalledOnce()
  await expect(profileProcess({ durationMs: 1 })).resolves.toMatchObject({ threads: [] })
})
