import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { allBlocks, named, repository } from './blocks.js'
import { runBlock } from './run-block.js'
import { mistakesOf } from './type-check.js'

const code = allBlocks().filter(({ language }) => language === 'ts' || language === 'js')
/** A block whose first line names a file shows that file. */
const fileName = /^\/\/ ((?:examples|packages)\/\S+)\n/
const shown = code.filter(({ text }) => fileName.test(text))
const programs = code.filter((block) => !shown.includes(block))

it.each(named(shown))('%s shows its file as it is', async (_, { text }) => {
  const [line = '', path = ''] = fileName.exec(text) ?? []
  expect(text.slice(line.length)).toBe(await readFile(join(repository, path), 'utf8'))
})

it('every block of code has the types that it says, and imports what there is', () => {
  const checked = programs.filter(({ notChecked }) => notChecked === undefined)
  const mistakes = [...mistakesOf(checked)].filter(([, found]) => found.length > 0)
  expect(Object.fromEntries(mistakes)).toEqual({})
}, 120_000)

it.each(named(programs.filter(({ notRun }) => notRun === undefined)))(
  '%s runs, and prints what is shown below it',
  async (_, block) => {
    const printed = await runBlock(block)
    if (block.output !== undefined) expect(printed).toBe(block.output)
    const lines = printed.split('\n')
    expect(saidLines(block.text).filter((line) => !lines.includes(line))).toEqual([])
  },
  120_000,
)

it.each(named(programs.filter(({ notRun }) => notRun !== undefined)))(
  '%s says why it is not run',
  (_, { notRun }) => expect(notRun).toMatch(/\w+ \w+/),
)

/** What the comments behind calls of `console.log` say that these print; with `…`, or a port, they do not say all of it. */
function saidLines(text: string): string[] {
  return [...text.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)]
    .map(([, line = '']) => line)
    .filter((line) => !/…|http:/.test(line))
}
