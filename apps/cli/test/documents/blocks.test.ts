import { expect, it } from 'vitest'
import { allBlocks, blocksOf } from './blocks.js'

it('a block has its comments, its place and its output', () => {
  const source = [
    'Text.',
    '',
    '<!-- with:',
    'const a = 1',
    '-->',
    '<!-- not run: it never ends -->',
    '```js',
    'console.log(a)',
    '```',
    '',
    '```',
    '1',
    '```',
    '',
    '```yaml',
    'a: 1',
    '```',
    '',
    '<!-- sample -->',
    '',
    '```',
    'b',
    '```',
  ].join('\n')
  const [first, output, second] = blocksOf('docs/a.md', source)
  expect(first).toMatchObject({
    place: 'docs/a.md:7',
    language: 'js',
    text: 'console.log(a)\n',
    setup: 'const a = 1\n',
    notRun: 'it never ends',
    output: '1\n',
  })
  expect(output).toMatchObject({ language: '', text: '1\n', output: undefined })
  expect(second).toMatchObject({
    language: 'yaml',
    setup: '',
    notRun: undefined,
    output: undefined,
  })
})

it('every language of a block is one that a test of this folder reads, or that no program here runs', () => {
  const read = ['ts', 'js', 'yaml', 'json', 'sh', 'console', '']
  const shown = ['c', 'rust']
  const others = allBlocks().filter(({ language }) => ![...read, ...shown].includes(language))
  expect(others.map(({ place }) => place)).toEqual([])
})
