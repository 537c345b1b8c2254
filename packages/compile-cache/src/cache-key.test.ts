import { expect, it } from 'vitest'
import { CacheKeys, hashFields } from './cache-key.js'

it('fields cannot run into each other', () => {
  const keys = [
    ['ab', 'c'],
    ['a', 'bc'],
    ['abc', ''],
    ['', 'abc'],
    ['abc'],
    ['a', 'b', 'c'],
    ['autf8:1:b', 'c'],
    ['a', 'utf8:1:bc'],
  ].map(hashFields)
  expect(new Set(keys).size).toBe(keys.length)
})

it('texts that UTF-8 cannot tell apart have keys of their own', () => {
  const keys = ['\ud800', '\ud801', '\udc00', '\ufffd'].map((text) => hashFields([text]))
  expect(new Set(keys).size).toBe(keys.length)
})

it('a key is the same on every machine', () => {
  expect(hashFields(['a'])).toBe(hashFields(['a']))
  expect(new CacheKeys(['engine@1']).of('js', 'x')).toBe(hashFields(['engine@1', 'js', 'x']))
})

it('another environment or kind is another key', () => {
  const keys = new CacheKeys(['engine@1', 'wrapper 1'])
  expect(keys.of('js', 'x')).not.toBe(new CacheKeys(['engine@2', 'wrapper 1']).of('js', 'x'))
  expect(keys.of('js', 'x')).not.toBe(new CacheKeys(['engine@1', 'wrapper 2']).of('js', 'x'))
  expect(keys.of('js', 'x')).not.toBe(keys.of('ts', 'x'))
})
