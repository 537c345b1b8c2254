import { expect, it } from 'vitest'
import { nexus } from '../commands/commands.js'
import { loaders } from '../commands/loaders.js'
import { type Command, type CommandGroup, isGroup } from './command.js'
import { completionsOf } from './completion.js'
import { helpOf } from './help.js'
import { parse } from './parse.js'

/** Every command with the words that call it, and the page of help that it is on. */
function commands(group: CommandGroup, words: readonly string[] = []): Entry[] {
  return Object.entries(group.commands).flatMap(([name, entry]) =>
    isGroup(entry)
      ? commands(entry, [...words, name])
      : [{ words: [...words, name], command: entry, page: helpOf(group) }],
  )
}

interface Entry {
  words: readonly string[]
  command: Command
  page: string
}

const all = commands(nexus)

it.each(all)(
  '$words is in help, is completed, is loaded and takes what it declares',
  async ({ words, command, page }) => {
    const name = words.at(-1)!
    for (const [operands] of command.usages)
      expect(page).toContain(`\n  ${name} ${operands}`.trimEnd())
    expect(completionsOf(nexus, words)).toContain(name)
    expect(completionsOf(nexus, [...words, '-'])).toEqual([
      ...Object.keys(command.options).map((option) => `--${option}`),
      '--help',
    ])
    for (const [option, { value, words: values, description }] of Object.entries(command.options)) {
      expect(page).toContain(`--${option}${value === undefined ? ' ' : ` ${value}`}`)
      expect(page.replace(/\s+/g, ' ')).toContain(description)
      if (values) expect(completionsOf(nexus, [...words, `--${option}`, ''])).toEqual(values)
      if (value === undefined) {
        const operands = Array.from({ length: command.operands?.min ?? 0 }, () => 'x')
        const { given, values } = parse(command, [...operands, `--${option}`])
        expect([...given]).toEqual([option])
        expect(values[option]).toBe(true)
      }
    }
    const run = await loaders[words.join(' ') as keyof typeof loaders]()
    await expect(run(['--no-such-option'])).rejects.toThrow("Unknown option '--no-such-option'")
  },
)

it('a page is at most 80 columns wide', () => {
  for (const { page } of all) {
    for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  }
})

it('an operand is completed where it is a fixed word, and only as the first', () => {
  expect(completionsOf(nexus, ['optimizations', ''])).toEqual(['apply', 'undo'])
  expect(completionsOf(nexus, ['optimizations', 'apply', ''])).toEqual([])
  expect(completionsOf(nexus, ['--url', 'x', 'events', ''])).toEqual([])
  expect(completionsOf(nexus, ['constructor', ''])).toEqual([])
  expect(completionsOf(nexus, ['service', 'start', 'a', '--', '-'])).toEqual([])
})
