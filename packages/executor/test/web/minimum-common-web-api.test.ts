import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0 })

/** Every global of ECMA-429, first edition (December 2025). */
const ECMA_429 = `
  AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto CryptoKey
  CustomEvent DecompressionStream DOMException ErrorEvent Event EventTarget File FormData Headers MessageChannel MessageEvent
  MessagePort Performance PromiseRejectionEvent ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
  ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto
  TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern
  URLSearchParams WebAssembly WritableStream WritableStreamDefaultController WritableStreamDefaultWriter
  globalThis atob btoa clearTimeout clearInterval console crypto fetch navigator onerror onunhandledrejection
  onrejectionhandled performance queueMicrotask reportError self setTimeout setInterval structuredClone`
  .trim()
  .split(/\s+/)

const page = new URL('../../../../docs/handlers.md', import.meta.url)
const [, section = ''] = readFileSync(page, 'utf8').split('### The Minimum Common Web API')
const rows = section
  .split('\n## ', 1)[0]!
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [, names = '', notes = '', links = ''] = line.split('|')
    return {
      names: [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
      isAbsent: notes.trim().startsWith('absent'),
      files: [...links.matchAll(/\]\(([^)]+)\)/g)].map(([, file]) => file!),
    }
  })

describe('the table of the Minimum Common Web API', () => {
  it('has each global of the standard once, and no other', () => {
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...ECMA_429].sort())
  })

  it.each(rows)('$names: links to tests that exist', ({ files }) => {
    expect(files).not.toEqual([])
    for (const file of files) expect(existsSync(new URL(file, page))).toBe(true)
  })

  it.each(rows)('$names: says whether a handler has them', async ({ names, isAbsent }) => {
    for (const name of names) {
      const { value } = await runtime.executeHandler(handler(`return typeof ${name}`), {
        event: null,
      })
      expect([name, value === 'undefined']).toEqual([name, isAbsent])
    }
  })
})

it('each interface can be told by its name and its string tag', async () => {
  const classes = ECMA_429.filter((name) => /^[A-Z]/.test(name) && name !== 'WebAssembly')
  for (const name of classes) {
    const { value } = await runtime.executeHandler(
      handler(`return [${name}.name, ${name}.prototype[Symbol.toStringTag]]`),
      { event: null },
    )
    expect(value).toEqual([name, name])
  }
})
