import { expect, it } from 'vitest'
import { type Served, serve, settled } from './workspace.js'

const names = ['a', 'b', 'c', 'd']
const functions = names
  .map((name) => `  - { name: ${name}, source: ./${name}.js, events: [${name}] }\n`)
  .join('')
const sources = Object.fromEntries(
  names.map((name) => [`${name}.js`, `export default () => '${name}'`]),
)

/** What one loaded function holds on a thread. */
async function handlerBytes(): Promise<number> {
  const { WasmRuntime } = await import('@nexus/executor')
  const wasm = new WasmRuntime({ threads: 1, cacheDir: false })
  await wasm.executeHandler(sources['a.js']!, { event: null })
  const bytes = wasm.getStats().engines.reduce((sum, engine) => sum + engine.handlerBytes, 0)
  await wasm.shutdown()
  return bytes
}

/** Calls the functions in turn, so that a thread which keeps few of them has to load each one again. */
async function callInTurn({ client }: Served, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const type of names) await settled(client, (await client.publish({ type })).id)
  }
}

const tooSmall = async ({ client }: Served, id = 'handlers-too-small') =>
  (await client.optimizations()).optimizations.find((found) => found.id === id)

/** A threads' memory with room for one and a half of the four functions. */
async function serveTooSmall(performance = '{ profileIntervalMs: 0 }'): Promise<Served> {
  const maxHandlerBytes = Math.round(1.5 * (await handlerBytes()))
  return serve({
    'nexus.yaml': `bus: memory\nthreads: 1\nmaxHandlerBytes: ${maxHandlerBytes}\nperformance: ${performance}\nfunctions:\n${functions}`,
    ...sources,
  })
}

it('a cache that is too small is found, made larger on demand, measured again and set back', {
  timeout: 90_000,
}, async () => {
  const served = await serveTooSmall()
  const { client, runtime } = served
  expect(await tooSmall(served)).toBeUndefined()
  await callInTurn(served, 30)

  const found = await tooSmall(served)
  const from = runtime.config.maxHandlerBytes!
  expect(found).toMatchObject({
    state: 'suggested',
    severity: 'high',
    change: { knob: 'handlers.maxBytes', from, to: 2 * from },
  })
  const [hitRate, evictions, lookups] = found!.evidence
  expect(hitRate).toMatchObject({ what: 'cache hit rate', limit: 0.9 })
  expect(hitRate!.value).toBeLessThan(0.2)
  expect(evictions!.value).toBeGreaterThan(50)
  expect(lookups!.value).toBeGreaterThanOrEqual(100)

  const applied = await client.applyOptimization(found!.id)
  expect(applied).toMatchObject({ state: 'applied', result: { before: hitRate!.value } })
  await expect(client.applyOptimization(found!.id)).rejects.toMatchObject({
    status: 409,
    serverCode: 'OPTIMIZATION_NOT_APPLICABLE',
  })

  // Twice the room is for three of the four: the next one is suggested, and after it there is room for all.
  await client.optimizations()
  await callInTurn(served, 30)
  const second = await tooSmall(served, 'handlers-too-small#2')
  expect(second).toMatchObject({ change: { from: 2 * from, to: 4 * from } })
  await client.applyOptimization(second!.id)
  await callInTurn(served, 1)
  await client.optimizations()
  await callInTurn(served, 30)
  expect((await tooSmall(served, second!.id))!.result).toMatchObject({ after: 1 })

  const undone = await client.undoOptimization(second!.id)
  expect(undone).toMatchObject({ state: 'undone', change: { from: 2 * from } })
  await callInTurn(served, 30)
  expect(await tooSmall(served, 'handlers-too-small#3')).toMatchObject({
    state: 'suggested',
    change: { from: 2 * from },
  })
})

it('is applied without being asked where autoOptimize says so', { timeout: 90_000 }, async () => {
  const served = await serveTooSmall('{ profileIntervalMs: 1500, autoOptimize: true }')
  const state = async () => (await tooSmall(served))?.state
  const deadline = Date.now() + 60_000
  while ((await state()) !== 'applied' && Date.now() < deadline) await callInTurn(served, 5)
  expect(await state()).toBe('applied')
})

it('what is not there, or turned off, is said to be so', async () => {
  const yaml = { 'nexus.yaml': 'functions: []\n' }
  const { client } = await serve(yaml)
  const { optimizations, uxImprovements } = await client.optimizations()
  // The machine of the test may have a full disk, or other work.
  const ofTheMachine = /^(?:disk-nearly-full|memory-pressure|noisy-neighbour|cpu-throttled)/
  expect(optimizations.filter(({ id }) => !ofTheMachine.test(id))).toEqual([])
  expect(uxImprovements).toEqual([])
  for (const turn of ['applyOptimization', 'undoOptimization'] as const) {
    await expect(client[turn]('slow-function:a/b#2')).rejects.toMatchObject({
      status: 404,
      serverMessage: expect.stringContaining('"slow-function:a/b#2"'),
    })
  }
  const off = await serve(yaml, { env: { PERFORMANCE_ENABLED: 'false' } })
  await expect(off.client.optimizations()).rejects.toMatchObject({
    status: 403,
    serverCode: 'OPTIMIZATIONS_DISABLED',
  })
  const guarded = await serve(yaml, { env: { NEXUS_TOKEN: 'a-token-of-some-length' } })
  expect((await guarded.send('/api/optimizations')).status).toBe(401)
  expect((await guarded.send('/api/optimizations/x/apply', { method: 'POST' })).status).toBe(401)
})
