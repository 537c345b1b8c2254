import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { harmless, styleOf } from './terminal.js'

const source = join(import.meta.dirname, '..')

it('no other file writes to the terminal, so that every text passes through here', () => {
  const writers = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .filter((path) =>
      /\bconsole\b|\bwriteSync\b|std(out|err)\.(write|end)\b|\.pipe\(/.test(
        readFileSync(join(source, path), 'utf8'),
      ),
    )
  expect(writers.sort()).toEqual(['terminal/output.ts', 'terminal/print-now.ts'])
})

it('leaves nothing that a terminal acts on but the codes of a style and line breaks', () => {
  const every = Array.from({ length: 0x2070 }, (_, code) => String.fromCharCode(code)).join('')
  expect(harmless(every).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
  expect(harmless('a\u001b[2Jb\u001b]0;x\u0007\u001b[31;5mc')).not.toContain('\u001b')
  const style = styleOf({ isTTY: true, hasColors: () => true } as unknown as NodeJS.WriteStream)
  for (const paint of [style.bold, style.dim, style.good, style.bad, style.warn]) {
    const painted = `${paint('text')}\n${style.rule()}`
    expect(harmless(painted)).toBe(painted)
  }
})
