import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

describe('a part of the platform that only a call turns out to need', () => {
  // The code names neither Blob nor ReadableStream.
  const code = handler(`
    const response = new Response('body ' + event)
    const blob = await response.clone().blob()
    const reader = response.body.getReader()
    const { value } = await reader.read()
    return [await blob.text(), value.length, (await reader.read()).done]`)

  it('is installed then, and is in the image of the handler from the next call on', async () => {
    const runtime = openRuntime({ threads: 0 })
    const loads: number[] = []
    for (const event of [1, 2, 3, 4]) {
      const { value, error } = await runtime.executeHandler(code, { event })
      expect(error).toBeUndefined()
      expect(value).toEqual([`body ${event}`, 6, true])
      loads.push(runtime.getStats().engines[0]!.handlerLoads)
    }
    expect(loads.map((load) => load - loads[0]!)).toEqual([0, 1, 1, 1])
  })

  it('stays in the instance of calls that share one, with their state', async () => {
    const runtime = openRuntime({ threads: 0, isolation: 'shared' })
    const counting = `let calls = 0
      export default async () => [++calls, await (await new Response('x').blob()).text()]`
    for (const n of [1, 2, 3]) {
      const { value } = await runtime.executeHandler(counting, { event: null })
      expect(value).toEqual([n, 'x'])
    }
  })

  it('is installed while the module loads, and then once', async () => {
    const runtime = openRuntime({ threads: 0 })
    const early = `const body = new Response('early').body
      export default async () => (await body.getReader().read()).value.length`
    for (const _ of [1, 2]) {
      expect((await runtime.executeHandler(early, { event: null })).value).toBe(5)
    }
    expect(runtime.getStats().engines[0]!.handlerLoads).toBe(1)
  })

  it('is a limit of the call where there is no memory for it', async () => {
    const runtime = openRuntime({ threads: 0 })
    const { error } = await runtime.executeHandler(
      handler(`const hog = []
        try { for (;;) hog.push(new Uint8Array(4096)) } catch {}
        hog.length -= 4
        return new Response('x').body`),
      { event: null },
      { memoryLimitBytes: 4 * 1024 * 1024 },
    )
    expect(['MEMORY_LIMIT', 'RESOURCE_LIMIT']).toContain(error?.code)
  })
})
