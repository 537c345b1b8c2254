import { expect, it } from 'vitest'
import { EsbuildService } from './esbuild-service.js'

/** A build that does not end before it is told to. */
function heldBuild(service: EsbuildService) {
  let attempts = 0
  let begun = () => {}
  const started = new Promise<void>((resolve) => {
    begun = resolve
  })
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const done = service.run((esbuild) => {
    attempts++
    return esbuild.build({
      stdin: { contents: 'export default 1' },
      write: false,
      logLevel: 'silent',
      plugins: [
        {
          name: 'hold',
          setup: ({ onStart }) => {
            onStart(async () => {
              begun()
              await released
            })
          },
        },
      ],
    })
  })
  return { done, started, release, attempts: () => attempts }
}

it('work that a lost service interrupted is done again', async () => {
  const service = new EsbuildService(60_000)
  const builds = [heldBuild(service), heldBuild(service)]
  await Promise.all(builds.map(({ started }) => started))
  const { stop } = await import('esbuild')
  await stop()
  for (const { release } of builds) release()
  const results = await Promise.all(builds.map(({ done }) => done))
  expect(results.map(({ outputFiles }) => outputFiles?.length)).toEqual([1, 1])
  expect(builds.map(({ attempts }) => attempts())).toEqual([2, 2])
})

it('work that takes too long fails alone', async () => {
  const slow = heldBuild(new EsbuildService(50))
  const other = heldBuild(new EsbuildService(60_000))
  await other.started
  await expect(slow.done).rejects.toMatchObject({
    code: 'RESOURCE_LIMIT',
    message: 'bundling it took longer than 50 ms (compileTimeoutMs)',
  })
  other.release()
  expect((await other.done).outputFiles).toHaveLength(1)
})

it('work without a plugin that shares the process with overrunning work is done again', async () => {
  const slow = heldBuild(new EsbuildService(200))
  await slow.started
  let attempts = 0
  const other = new EsbuildService(60_000).run(async (esbuild) => {
    // The process never answers the first time, as when it was stopped while it worked.
    if (attempts++ === 0) return new Promise<never>(() => undefined)
    return esbuild.transform('let x: number = 1', { loader: 'ts' })
  })
  await expect(slow.done).rejects.toMatchObject({ code: 'RESOURCE_LIMIT' })
  expect((await other).code).toBe('let x = 1;\n')
  expect(attempts).toBe(2)
})

it('work that began after the process was started again is not stopped by work that was lost before', async () => {
  const builds = [heldBuild(new EsbuildService(100)), heldBuild(new EsbuildService(100))]
  const results = await Promise.allSettled(builds.map(({ done }) => done))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const after = await new EsbuildService(60_000).run((esbuild) => esbuild.transform('let y = 2'))
  expect(after.code).toBe('let y = 2;\n')
})

it('an error of the work itself is not tried again', async () => {
  let attempts = 0
  const work = new EsbuildService(60_000).run(async (esbuild) => {
    attempts++
    return esbuild.transform('let x = ;', { logLevel: 'silent' })
  })
  await expect(work).rejects.toThrow('Unexpected ";"')
  expect(attempts).toBe(1)
})

it('tells work that nothing waits for its result any more, however it ended', async () => {
  const signals: AbortSignal[] = []
  const held = new Promise<never>(() => {})
  const service = new EsbuildService(50)
  const done = service.run(async (_esbuild, signal) => {
    signals.push(signal)
    expect(signal.aborted).toBe(false)
    return 1
  })
  expect(await done).toBe(1)
  const late = service.run((_esbuild, signal) => {
    signals.push(signal)
    return held
  })
  await expect(late).rejects.toMatchObject({ code: 'RESOURCE_LIMIT' })
  const failed = service.run(async (_esbuild, signal) => {
    signals.push(signal)
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
})
