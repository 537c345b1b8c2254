import { expect, it } from 'vitest'
import { inlineSourceMap } from './source-map-comment.js'

const asked = (code: string): string | undefined => {
  let url: string | undefined
  inlineSourceMap(code, (specifier) => {
    url = specifier
    return undefined
  })
  return url
}

it.each([
  ['//# sourceMappingURL=a.map', 'a.map'],
  ['//@ sourceMappingURL=a.map', 'a.map'],
  ['/*# sourceMappingURL=a.map */', 'a.map'],
  ['//#sourceMappingURL=a.map\ncode', 'a.map'],
  ['//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map', 'b.map'],
  ['//# sourceMappingURL=a.map\n//# sourceMappingURL=', 'a.map'],
  ['//# sourceMappingURL=a.map\nsourceMappingURL=b.map', 'a.map'],
  ['sourceMappingURL=b.map', undefined],
  ['//# sourceMappingURL= a.map', undefined],
])('of %j, the last comment that names a map counts', (code, url) => {
  expect(asked(code)).toBe(url)
})

it('a file of nothing but such comments, or of white space before one, is gone through once', () => {
  expect(asked(`${'\n'.repeat(4_000_000)}//#${' '.repeat(1_000_000)}sourceMappingURL=a.map`)).toBe(
    'a.map',
  )
  expect(asked('//# sourceMappingURL=\n'.repeat(300_000))).toBeUndefined()
})

it('no map is taken that is too long, or of too many values', () => {
  const map = (sources: string[], mappings: string) =>
    JSON.stringify({ version: 3, sources, sourcesContent: sources, mappings })
  const inlined = (text: string) =>
    inlineSourceMap('x\n//# sourceMappingURL=a.map', () => text).includes('base64')
  expect(inlined(map(['a'], 'AAAA'))).toBe(true)
  expect(inlined(map(['a'], 'A'.repeat(8 * 1024 * 1024)))).toBe(false)
  expect(inlined(map(Array(60_000).fill('a'), 'AAAA'))).toBe(false)
})
