import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readServicesFile } from '@nexus/process-manager'
import { expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../../../runtime/src/config/parse-config.js'
import { allBlocks, named } from './blocks.js'

const blocks = allBlocks()
const isServicesFile = ({ text }: { text: string }) => /^services:/m.test(text)
const yaml = blocks.filter(({ language }) => language === 'yaml')

it.each(named(yaml.filter(isServicesFile)))('%s is a services file', async (_, { text }) => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-documents-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  // The files that its services name.
  await writeFile(join(directory, '.env'), '')
  const file = join(directory, 'services.yaml')
  await writeFile(file, text)
  expect(await readServicesFile(file)).not.toEqual([])
})

it.each(named(yaml.filter((block) => !isServicesFile(block))))(
  '%s is a nexus.yaml, or a part of one',
  (place, { text }) => {
    // A part that is about other settings leaves the functions out.
    const whole = /^functions:/m.test(text) ? text : `${text}\nfunctions: []\n`
    expect(parseConfig(whole, place).config.functions).toEqual(expect.any(Array))
  },
)

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
