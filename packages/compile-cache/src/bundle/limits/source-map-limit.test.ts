import { expect, it } from 'vitest'
import { hasTooManyPlaces, MAX_PLACES } from './source-map-limit.js'

it.each([
  [',', 'places of one line'],
  [';', 'lines without a place'],
])('a map may have 250,000 of %j, and one more is too many: %s', (separator) => {
  expect(hasTooManyPlaces({ mappings: separator.repeat(MAX_PLACES) })).toBe(false)
  expect(hasTooManyPlaces({ mappings: separator.repeat(MAX_PLACES + 1) })).toBe(true)
})

it('places and lines count together', () => {
  const half = MAX_PLACES / 2
  expect(hasTooManyPlaces({ mappings: 'AAAA,'.repeat(half) + ';'.repeat(half) })).toBe(false)
  expect(hasTooManyPlaces({ mappings: 'AAAA,'.repeat(half) + ';'.repeat(half + 1) })).toBe(true)
})
