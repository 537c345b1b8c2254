import { describe, expect, it } from 'vitest'
import { printable, printableLines, styleOf, toJson } from './terminal.js'

/** A stream as Node makes it for a terminal, or for a pipe. */
function stream(terminal: { colors: boolean; columns: number } | undefined): NodeJS.WriteStream {
  const fake = terminal
    ? { isTTY: true, hasColors: () => terminal.colors, columns: terminal.columns }
    : {}
  return fake as unknown as NodeJS.WriteStream
}

describe('the style of a stream', () => {
  it('is colour and rules on a terminal, as wide as it is and never wider than 80', () => {
    const style = styleOf(stream({ colors: true, columns: 40 }))
    expect(style.bad('x')).toBe('\u001b[31mx\u001b[39m')
    expect(style.rule()).toContain(`${'─'.repeat(40)}`)
    expect(styleOf(stream({ colors: false, columns: 200 })).rule()).toBe(`${'─'.repeat(80)}\n`)
  })

  it('is plain text in a pipe, or on a terminal without colours', () => {
    expect(styleOf(stream(undefined)).bad('x')).toBe('x')
    expect(styleOf(stream(undefined)).rule()).toBe('')
    expect(styleOf(stream({ colors: false, columns: 80 })).bad('x')).toBe('x')
  })
})

describe('text from elsewhere', () => {
  it('loses what a terminal would act on', () => {
    expect(printable('a\u001b[2Jb\u009b1m\u0007\r\n\t\u007f')).toBe(
      'a\\u001b[2Jb\\u009b1m\\u0007\\u000d\\u000a\\u0009\\u007f',
    )
    expect(printable('abc\u202edcb\u2066')).toBe('abc\\u202edcb\\u2066')
    expect(printable('Grüße, 世界 👋')).toBe('Grüße, 世界 👋')
  })

  it('keeps its lines where there may be several', () => {
    expect(printableLines('a\r\nb\u001b\n  c')).toBe('a\nb\\u001b\n  c')
  })

  it('as JSON is safe to show and parses to the same', () => {
    const value = { 'k\u001b': ['\u009b2J', '\u202e', 'a\nb', '\u007f'] }
    for (const indent of [undefined, 2]) {
      const text = toJson(value, indent)
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
      expect(JSON.parse(text)).toEqual(value)
    }
  })
})
