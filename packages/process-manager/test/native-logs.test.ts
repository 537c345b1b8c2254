import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, freePort } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, getJson, logLines, sandbox } from './support/sandbox.js'

describe('The log of a service', () => {
  it('holds each line with its time, stream and instance', async () => {
    const { engine } = sandbox()
    const begun = Date.now()
    await engine.start({ name: 'chatty', script: fixture('chatty.mjs'), args: ['2'] })
    const lines = await eventually(
      () => logLines(engine, 'chatty'),
      ({ length }) => length === 4,
    )
    const text = (stream: string) =>
      lines.filter((line) => line.stream === stream).map((line) => line.text)
    expect(text('stdout')).toEqual(['line 0', 'line 1', 'a line'])
    expect(text('stderr')).toEqual(['and an error'])
    for (const { name, instance, time } of lines) {
      expect({ name, instance }).toEqual({ name: 'chatty', instance: 0 })
      expect(time).toBeGreaterThanOrEqual(begun)
      expect(time).toBeLessThanOrEqual(Date.now())
    }
  })

  it('rotates at a size, keeps the given number of old files, and is read across them', async () => {
    const { engine, root } = sandbox({ daemon: { maxLogBytes: 40_000, maxOldLogs: 2 } })
    await engine.start({ name: 'chatty', script: fixture('chatty.mjs'), args: ['20000'] })
    const found = await eventually(
      async () => (await logLines(engine, 'chatty', 1_500)).map(({ text }) => text),
      (lines) => lines.includes('line 19999'),
    )
    expect(readdirSync(join(root, 'logs')).sort()).toEqual([
      'chatty.log',
      'chatty.log.1',
      'chatty.log.2',
    ])
    const numbered = found.filter((text) => text.startsWith('line'))
    const expected = Array.from({ length: 20_000 }, (_, n) => `line ${n}`)
    expect(numbered).toEqual(expected.slice(-numbered.length))
    expect(numbered.length).toBeGreaterThan(1_400)
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

  it('has what a service said last, though it ended without a newline', async () => {
    const { engine } = sandbox()
    const script = fixture('unfinished.mjs')
    await engine.start({ name: 'brief', script, restart: { maxRestarts: 0 } }).catch(() => {})
    await eventually(
      () => logLines(engine, 'brief'),
      (lines) => lines.some(({ text }) => text === 'and that was'),
    )
  })

  it('is an error for an unknown service', async () => {
    const { engine } = sandbox()
    await expect(logLines(engine, 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
