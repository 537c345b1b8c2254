import { type CommandGroup, isGroup } from './command.js'
import { flag, type Option } from './option.js'

/** What a terminal has at least. */
const width = 80
const lastOptions = { help: flag('show this help', 'h') }
const versionOption = { version: flag('show the version', 'v') }

/** The page of help of a group of commands. */
export function helpOf(group: CommandGroup): string {
  const { title, usage, heading, notes } = group
  const commands = commandRows(group)
  const column = Math.min(24, Math.max(...commands.map(([left]) => left.length)) + 4)
  return `${[
    title,
    `Usage: ${usage}`,
    `${heading}:\n${rows(commands, column)}`,
    ...optionSections(group),
    paragraphs(notes),
  ].join('\n\n')}\n`
}

function commandRows({ commands }: CommandGroup): [string, string][] {
  return Object.entries(commands).flatMap(([name, entry]) =>
    isGroup(entry)
      ? [[name, entry.summary] as [string, string]]
      : entry.usages.map(([operands, summary]): [string, string] => [
          `${name} ${operands}`.trimEnd(),
          summary,
        ]),
  )
}

/** The options that many commands have come last; the others under the commands that have them. */
function optionSections(group: CommandGroup): string[] {
  const users = new Map<Option, { name: string; commands: string[] }>()
  for (const [command, entry] of Object.entries(group.commands)) {
    if (isGroup(entry)) continue
    for (const [name, option] of Object.entries(entry.options)) {
      const known = users.get(option)
      if (known) known.commands.push(command)
      else users.set(option, { name, commands: [command] })
    }
  }
  const sections = new Map<string, [string, string][]>()
  const common: [string, string][] = []
  for (const [option, { name, commands }] of users) {
    const row: [string, string] = [spelled(name, option), option.description]
    if (commands.length > 2) common.push(row)
    else {
      const title = commands.join(', ')
      sections.set(title, [...(sections.get(title) ?? []), row])
    }
  }
  const builtIn = { ...lastOptions, ...(group.prefix === 'nexus' ? versionOption : {}) }
  for (const [name, option] of Object.entries(builtIn)) {
    common.push([spelled(name, option), option.description])
  }
  const own = [...sections].map(([title, lines]) => `Options of ${title}:\n${rows(lines, 22)}`)
  return [...own, `Other options:\n${rows(common, 22)}`]
}

function spelled(name: string, { short, value }: Option): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}

/** Two columns; a left one that is too long has a line of its own. */
function rows(entries: readonly (readonly [string, string])[], column: number): string {
  return entries
    .flatMap(([left, right]) => {
      const [first, ...rest] = wrapped(right, width - column)
      const indent = ' '.repeat(column)
      const start =
        left.length + 3 > column
          ? [`  ${left}`, indent + first]
          : [`  ${left}`.padEnd(column) + first]
      return [...start, ...rest.map((line) => indent + line)]
    })
    .join('\n')
}

function paragraphs(text: string): string {
  return text
    .split('\n\n')
    .map((paragraph) => wrapped(paragraph.replaceAll('\n', ' '), width).join('\n'))
    .join('\n\n')
}

function wrapped(text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
