import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually, fixture, freePort, getJson, logLines, sandbox } from './support/sandbox.js'

describe('The log of a service', () => {
  it('holds each line with its time, stream and instance', async () => {
    const { engine } = sandbox()
    const begun = Date.now()
    await engine.start({ name: 'chatty', script: fixture('chatty.mjs'), args: ['2'] })
    await engine.stop('chatty')
    const lines = await logLines(engine, 'chatty')
    const text = (stream: string) =>
      lines.filter((line) => line.stream === stream).map((line) => line.text)
    expect(text('stdout')).toEqual(['line 0', 'line 1', 'no newline at the end'])
    expect(text('stderr')).toEqual(['and an error'])
    for (const { name, instance, time } of lines) {
      expect({ name, instance }).toEqual({ name: 'chatty', instance: 0 })
      expect(time).toBeGreaterThanOrEqual(begun)
      expect(time).toBeLessThanOrEqual(Date.now())
    }
  })

  it('rotates at a size, keeps so many old files, and is read across them', async () => {
    const { engine, root } = sandbox({ daemon: { maxLogBytes: 40_000, maxOldLogs: 2 } })
    await engine.start({ name: 'chatty', script: fixture('chatty.mjs'), args: ['20000'] })
    await engine.stop('chatty')
    const files = readdirSync(join(root, 'logs')).sort()
    expect(files).toEqual(['chatty.log', 'chatty.log.1', 'chatty.log.2'])
    const found: string[] = []
    for await (const { stream, text } of engine.logs('chatty', { lines: 1_500 })) {
      if (stream === 'stdout') found.push(text)
    }
    const expected = Array.from({ length: 20_000 }, (_, n) => `line ${n}`)
    expect(found.at(-1)).toBe('no newline at the end')
    expect(found.slice(0, -1)).toEqual(expected.slice(-(found.length - 1)))
    expect(found.length).toBeGreaterThan(1_400)
  })

  it('can be followed until the signal aborts', async () => {
    const { engine } = sandbox()
    const port = await freePort()
    await engine.start({ name: 'web', script: fixture('http.mjs'), port })
    const enough = new AbortController()
    const heard: string[] = []
    const following = (async () => {
      for await (const { text } of engine.logs('web', { follow: true, signal: enough.signal })) {
        heard.push(text)
      }
    })()
    await eventually(
      () => heard,
      () => heard.includes('listening'),
    )
    await getJson(port, '/say')
    await eventually(
      () => heard,
      () => heard.includes('said when asked'),
    )
    enough.abort()
    await following
  })

  it('is an error for a service that nobody knows', async () => {
    const { engine } = sandbox()
    await expect(logLines(engine, 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
