import { expect, it } from 'vitest'
import { parseConfig } from '../../../runtime/src/config/parse-config.js'
import { allBlocks, named } from './blocks.js'

const blocks = allBlocks()
const yaml = blocks.filter(({ language }) => language === 'yaml')

it.each(named(yaml))('%s is a nexus.yaml, or a part of one', (place, { text }) => {
  // A part that is about other settings leaves the functions out.
  const whole = /^functions:/m.test(text) ? text : `${text}\nfunctions: []\n`
  expect(parseConfig(whole, place).config.functions).toEqual(expect.any(Array))
})

it.each([
  ['on: order.created', 'functions:\n  - { name: a, source: ./a.js, on: [b] }\n'],
  ['a key that does not exist', 'performanc: {}\nfunctions: []\n'],
])('a block with %s would be refused', (_, text) => {
  expect(() => parseConfig(text, 'x.md')).toThrow()
})

it.each(named(blocks.filter(({ language }) => language === 'json')))(
  '%s is JSON',
  (_, { text }) => {
    expect(() => JSON.parse(text)).not.toThrow()
  },
)
