import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { gunzipSync } from 'node:zlib'
import {
  createPerformanceClient,
  type PerformanceClient,
  ProfilingAlreadyInProgressError,
  ProfilingNotStartedError,
} from '@nexus/profiler'
import { launchChromium, testInChromium } from '@nexus/test-kit/chromium'
import { Profile } from 'pprof-format'
import { afterEach, beforeEach, expect, it } from 'vitest'

let client: PerformanceClient
let folder: string

beforeEach(async () => {
  client = createPerformanceClient({ env: {}, profileIntervalMs: 0 })
  folder = await mkdtemp(join(tmpdir(), 'nexus-profiler-'))
})

afterEach(async () => {
  client.close()
  await rm(folder, { recursive: true, force: true })
})

/**
 * Does so much work, however busy the machine is, and shows up in a profile by its name. Compiled again for each test: of code that V8
 * optimized before the profile began, it only knows the function that the others were inlined into.
 */
function callHotLoop(millions: number): number {
  const source = `(function callerOfTheTest(millions) {
    return hotLoopOfTheTest(millions) + ${compiled++}
    function hotLoopOfTheTest(millions) {
      let sum = 0
      for (let i = 0; i < millions * 1_000_000; i++) sum += Math.sqrt(i)
      return sum
    }
  })`
  return runInThisContext(source, { filename: '/app/hot-loop.js' })(millions)
}

let compiled = 0

function hoardOfTheTest(): unknown[] {
  const kept: unknown[] = []
  for (let i = 0; i < 300_000; i++) kept.push({ i })
  return kept
}

async function profileOfTheHotLoop(name?: string) {
  await client.startProfiling()
  callHotLoop(150)
  return client.stopProfiling(name)
}

it('the hot function is on top of a CPU profile', async () => {
  const report = await profileOfTheHotLoop()
  const [top] = report.cpuProfile!.topFunctions()
  expect(top!.name).toBe('hotLoopOfTheTest')
  expect(top!).toMatchObject({ url: 'file:///app/hot-loop.js', line: 3 })
  expect(top!.self).toBeGreaterThan(20_000)
  expect(top!.selfShare).toBeGreaterThan(0.2)
  const raw = report.cpuProfile!.toJSON()
  expect(raw.nodes[0]!.callFrame.functionName).toBe('(root)')
  expect(raw.samples!.length).toBe(raw.timeDeltas!.length)
  expect(report.heapProfile).toBeUndefined()
})

it('pprof decodes to the same calls and the same time', async () => {
  const { cpuProfile } = await profileOfTheHotLoop()
  const decoded = Profile.decode(gunzipSync(cpuProfile!.toPprof()))
  const text = (index: number | bigint) => decoded.stringTable.strings[Number(index)]
  expect(decoded.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
    ['cpu', 'microseconds'],
  ])
  expect(Number(decoded.period)).toBe(5_000)
  expect(Math.abs(Number(decoded.timeNanos) / 1e6 - Date.now())).toBeLessThan(60_000)

  const functions = new Map(decoded.function.map((f) => [Number(f.id), text(f.name)!]))
  const names = new Map(
    decoded.location.map(({ id, line }) => [
      Number(id),
      functions.get(Number(line[0]!.functionId))!,
    ]),
  )
  const stacks = decoded.sample.map(({ locationId, value }) => ({
    stack: locationId.map((id) => names.get(Number(id))!),
    us: Number(value[0]),
  }))
  const total = stacks.reduce((sum, { us }) => sum + us, 0)
  expect(Math.abs(total - cpuProfile!.callTree.total)).toBeLessThanOrEqual(stacks.length)
  const hot = stacks.filter(({ stack }) => stack[0] === 'hotLoopOfTheTest')
  expect(hot.some(({ stack }) => stack[1] === 'callerOfTheTest')).toBe(true)
  expect(hot.reduce((sum, { us }) => sum + us, 0)).toBeGreaterThan(100_000)
})

it('a heap profile shows who holds the memory', async () => {
  await client.startProfiling({ cpu: false, heap: true, heapSamplingIntervalBytes: 1_024 })
  const kept = hoardOfTheTest()
  const report = await client.stopProfiling('memory')
  expect(kept).toHaveLength(300_000)
  expect(report.cpuProfile).toBeUndefined()
  const top = report.heapProfile!.topFunctions(20)
  const hoard = top.find(({ name }) => name === 'hoardOfTheTest')
  expect(hoard!.total).toBeGreaterThan(1e6)
  const decoded = Profile.decode(gunzipSync(report.heapProfile!.toPprof()))
  const { type, unit } = decoded.sampleType[0]!
  const { strings } = decoded.stringTable
  expect([strings[Number(type)], strings[Number(unit)]]).toEqual(['inuse_space', 'bytes'])
})

it('a report is saved in the formats people open', async () => {
  await client.startProfiling({ heap: true })
  callHotLoop(50)
  const report = await client.stopProfiling('../night ly/1')
  const paths = await report.save(join(folder, 'new'))
  expect(paths.map((path) => path.slice(join(folder, 'new').length + 1)).sort()).toEqual([
    '..-night-ly-1.cpu.html',
    '..-night-ly-1.cpu.pb.gz',
    '..-night-ly-1.cpuprofile',
    '..-night-ly-1.heap.html',
    '..-night-ly-1.heap.pb.gz',
    '..-night-ly-1.heapprofile',
    '..-night-ly-1.json',
  ])
  const cpu = JSON.parse(
    await readFile(paths.find((path) => path.endsWith('.cpuprofile'))!, 'utf8'),
  )
  expect(Object.keys(cpu).sort()).toEqual([
    'endTime',
    'nodes',
    'samples',
    'startTime',
    'timeDeltas',
  ])
  const json = JSON.parse(await readFile(paths.find((path) => path.endsWith('.json'))!, 'utf8'))
  expect(json.cpuFunctions.length).toBeGreaterThan(0)
})

it('the summary names the hot function and what the process did', async () => {
  const report = await profileOfTheHotLoop('nightly')
  let shown = ''
  report.displaySummary({ write: (text) => (shown += text) })
  expect(shown).toMatch(/^nightly: \d+\.\d s from 20/)
  expect(shown).toMatch(/CPU time\n +\d+\.\d % +\d+\.\d ms +hotLoopOfTheTest hot-loop\.js:3\n/)
  expect(shown).toMatch(/CPU \d+\.\d % of a core, event loop busy/)
})

it('one profile is taken at a time', async () => {
  await expect(client.stopProfiling()).rejects.toThrow(ProfilingNotStartedError)
  await client.startProfiling()
  expect(client.getStats().profiling).toBe(true)
  await expect(client.startProfiling()).rejects.toThrow(ProfilingAlreadyInProgressError)
  await client.stopProfiling()
  await expect(client.stopProfiling()).rejects.toThrow(ProfilingNotStartedError)
  await client.startProfiling()
  await client.stopProfiling()
})

it('a profile that is not stopped ends by itself and waits to be fetched', async () => {
  client.close()
  client = createPerformanceClient({ env: {}, profileIntervalMs: 0, maxProfilingMs: 50 })
  await client.startProfiling()
  await new Promise((resolve) => setTimeout(resolve, 120))
  callHotLoop(50)
  const { cpuProfile } = await client.stopProfiling()
  expect(cpuProfile!.topFunctions(100).some(({ name }) => name === 'hotLoopOfTheTest')).toBe(false)
})

it('profiling can be off, and its options are checked', async () => {
  const off = createPerformanceClient({ env: { PERFORMANCE_ENABLED: 'false' } })
  await expect(off.startProfiling()).rejects.toThrow(
    expect.objectContaining({ code: 'PROFILING_DISABLED' }),
  )
  off.close()
  await expect(client.startProfiling({ cpu: false })).rejects.toThrow('cpu or heap to be true')
  await expect(client.startProfiling({ samplingIntervalUs: 1 })).rejects.toThrow(
    'samplingIntervalUs',
  )
  await client.startProfiling()
  await client.stopProfiling()
})

testInChromium('the flame graph opens in a browser with the hot function on it', async () => {
  const report = await profileOfTheHotLoop('flames </script><b>')
  const paths = await report.save(folder)
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) problems.push(request.url())
    })
    await page.goto(`file://${paths.find((path) => path.endsWith('.cpu.html'))}`)
    expect(await page.locator('h1').textContent()).toBe('flames </script><b> (cpu)')

    const hot = page.locator('#graph button', { hasText: 'hotLoopOfTheTest hot-loop.js:3' }).first()
    const whole = (await page.locator('#graph').boundingBox())!.width
    expect((await hot.boundingBox())!.width).toBeGreaterThan(whole / 5)
    await hot.hover()
    expect(await page.locator('#details').textContent()).toMatch(
      /hotLoopOfTheTest .* m?s \(\d+\.\d %\)/,
    )

    await page.locator('#find').fill('HOTLOOP')
    expect(await page.locator('#graph button.found').count()).toBeGreaterThan(0)
    await hot.click()
    expect((await hot.boundingBox())!.width).toBeCloseTo(whole, 0)
    await page.locator('#graph button', { hasText: 'callerOfTheTest' }).first().click()
    await page.locator('#reset').click()
    expect(await page.locator('#graph button').first().textContent()).toBe('(root)')
    expect(problems).toEqual([])
  } finally {
    await browser.close()
  }
})

it('each profile is a span, which ends with it once, however it ends', async () => {
  const spans: { name: string; attributes: object | undefined; ends: number }[] = []
  const tracer = {
    startSpan(name: string, options?: { attributes?: object }) {
      const span = { name, attributes: options?.attributes, ends: 0 }
      spans.push(span)
      return { end: () => span.ends++ }
    },
  }
  const options = { env: {}, profileIntervalMs: 0, tracer }
  const profiled = createPerformanceClient(options)
  await profiled.startProfiling({ heap: true })
  expect(spans).toEqual([
    {
      name: 'profile',
      attributes: { 'nexus.profile.cpu': true, 'nexus.profile.heap': true },
      ends: 0,
    },
  ])
  await expect(profiled.startProfiling()).rejects.toThrow(ProfilingAlreadyInProgressError)
  expect(spans).toHaveLength(1)
  await profiled.stopProfiling()
  expect(spans[0]?.ends).toBe(1)
  // One that is dropped, and one that was not stopped in time.
  await profiled.startProfiling()
  profiled.close()
  const short = createPerformanceClient({ ...options, maxProfilingMs: 1 })
  await short.startProfiling()
  await expect.poll(() => spans.map(({ ends }) => ends)).toEqual([1, 1, 1])
  short.close()
  expect(spans.map(({ ends }) => ends)).toEqual([1, 1, 1])
})
