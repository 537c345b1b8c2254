import { WasmRuntime } from '@nexus/executor'
import { expect, it, onTestFinished } from 'vitest'
import { FunctionProfiler, type ProcessRecording } from './function-profiler.js'

const metrics = {
  ...{ durationUs: 2_000, queueWaitUs: 100, hostCalls: 1, memoryPeakBytes: 70 },
} as never
const attempt = (name: string, status: 'success' | 'error' = 'success') => ({
  ...{ function: name, status, metrics, durationMs: 2, attempt: 1, logs: [] },
  event: { id: '1', source: '/s', type: 'a' },
})

function profilerWith(profileProcess: (recording: ProcessRecording) => Promise<{ own: number }>) {
  const runtime = new WasmRuntime({ threads: 0 })
  onTestFinished(() => runtime.shutdown())
  return new FunctionProfiler({ runtime, profileProcess })
}
const { signal } = new AbortController()

it('reports the functions that ran while the process was profiled, and those alone', async () => {
  const profiler = profilerWith(async ({ sources }) => {
    for (const name of ['a', 'b', 'a'])
      profiler.record(attempt(name, name === 'b' ? 'error' : 'success'))
    expect(sources.functions()).toMatchObject({ a: { executions: 2, failed: 0 } })
    return { own: 1 }
  })
  profiler.record(attempt('before'))
  const profile = await profiler.profile({ durationMs: 1, signal })
  expect(profile).toMatchObject({
    own: 1,
    functions: [
      {
        function: 'a',
        calls: 2,
        failed: 0,
        totalMs: 4,
        averageMs: 2,
        share: expect.closeTo(2 / 3),
      },
      { function: 'b', calls: 1, failed: 1 },
    ],
    sandbox: { compiled: 0, threadKills: 0 },
  })
  const one = await profiler.profile({ durationMs: 1, functionName: 'b', signal })
  expect(one.functions.map((entry) => entry.function)).toEqual(['b'])
})

it('takes one profile at a time, also after one that failed', async () => {
  const profiler = profilerWith(async ({ endSignal }) => {
    await new Promise((_, reject) =>
      endSignal.addEventListener('abort', () => reject(new Error('x'))),
    )
    return { own: 1 }
  })
  const first = profiler.profile({ durationMs: 1, signal })
  expect(profiler.busy).toBe(true)
  await expect(profiler.profile({ durationMs: 1, signal })).rejects.toMatchObject({
    code: 'PROFILE_IN_PROGRESS',
  })
  profiler.close()
  await expect(first).rejects.toThrow('x')
  expect(profiler.busy).toBe(false)
})
