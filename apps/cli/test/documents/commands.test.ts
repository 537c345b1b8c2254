import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Command, isGroup } from '../../src/command-line/command.js'
import { leadingOptions } from '../../src/command-line/leading-options.js'
import { parse } from '../../src/command-line/parse.js'
import { nexus as commands } from '../../src/commands/commands.js'
import { nexus } from '../nexus.js'
import { allBlocks, named, repository } from './blocks.js'
import { exampleServer } from './run-block.js'
import { commandsOf, type ShellCommand } from './shell.js'

const blocks = allBlocks().filter(({ language }) => ['sh', 'console'].includes(language))
const checked = blocks.filter(({ notRun }) => notRun === undefined)

/** What a command needs, by its first words: each is checked without being run. */
const known: [RegExp, (command: ShellCommand) => Promise<void> | void][] = [
  [/^npx nexus /, ({ words }) => assertUsage(words.slice(2))],
  [/^curl /, ({ words }) => void requestOf(words)],
  [/^npm install /, ({ words }) => assertPackages(words.slice(2))],
  [/^npm (start|test)$/, ({ words }) => assertScript('package.json', words[1]!)],
  [/^pnpm --filter /, ({ words }) => assertScript(manifestOf(words[2]!), words[3]!)],
  [/^pnpm \w+( --project|$)/, ({ words }) => assertScript('package.json', words[1]!)],
  [/^node /, ({ words }) => assertFile(words[1]!)],
  [/^export [A-Z_]+=/, () => {}],
]

it.each(named(checked))('every command of %s exists and takes its arguments', async (_, block) => {
  for (const command of commandsOf(block.text)) {
    const [, check] = known.find(([start]) => start.test(command.text)) ?? []
    expect(check, `${command.text}: say how to check it, or why it is not run`).toBeDefined()
    await check!(command)
  }
})

const runs = checked.filter(({ text }) => /^(\$ )?curl /m.test(text))

it.each(named(runs))(
  'the requests of %s are answered, and what follows them works',
  async (_, block) => {
    const example = /examples\/(\w+)/.exec(block.document + block.text)?.[1] ?? 'orders'
    const { url } = await exampleServer(example)
    let id = ''
    for (const { words, output } of commandsOf(block.text)) {
      if (words[0] === 'curl') {
        const { path, init } = requestOf(words)
        const response = await fetch(url + path, init)
        expect(response.status).toBe(202)
        const answer = await response.text()
        id = (JSON.parse(answer) as { id: string }).id
        if (output !== '') expect(shape(answer)).toBe(shape(output.trim()))
      } else if (words[1] === 'nexus' && words[2] !== 'dev') {
        const args = words.slice(2).map((word) => word.replace('<id>', id))
        expect(await nexus([...args, '--url', url])).toMatchObject({ code: 0, stderr: '' })
      }
    }
  },
  120_000,
)

it('the README shows what the command prints about its order', async () => {
  const shown = blocks.filter(
    ({ document, language }) => document === 'README.md' && language === 'console',
  )
  const [curl, events] = shown.flatMap(({ text }) => commandsOf(text))
  const { url } = await exampleServer('orders')
  const { path, init } = requestOf(curl!.words)
  const { id } = (await (await fetch(url + path, init)).json()) as { id: string }
  const look = async () => (await nexus(['events', id, '--url', url])).stdout
  await expect.poll(look, { timeout: 30_000 }).toContain('succeeded')
  expect(shape(await look())).toBe(shape(events!.output))
}, 120_000)

/** A text without what differs from run to run. */
function shape(text: string): string {
  return text
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/[\d.]+ ms/g, '<duration>')
    .trim()
}

function assertUsage(args: readonly string[]): void {
  const isCommand = (name: string) => Object.hasOwn(commands.commands, name)
  const [name = '', ...rest] = leadingOptions(args, isCommand)
  expect(Object.keys(commands.commands)).toContain(name)
  const entry = commands.commands[name as keyof typeof commands.commands]
  if (!isGroup(entry)) return void parse(entry, rest)
  const [inner = '', ...own] = rest
  expect(Object.keys(entry.commands)).toContain(inner)
  parse(entry.commands[inner as keyof typeof entry.commands] as Command, own)
}

/** The request that a `curl` makes, with the options that documents use. */
function requestOf([, ...words]: readonly string[]): { path: string; init: RequestInit } {
  const headers: Record<string, string> = {}
  let path = ''
  let body: string | undefined
  let method: string | undefined
  for (let n = 0; n < words.length; n++) {
    const word = words[n]!
    if (word === '-H') {
      const [name = '', value = ''] = words[++n]!.split(/: (.*)/s)
      headers[name] = value
    } else if (word === '-d') body = words[++n]!
    else if (word === '-X') method = words[++n]!
    else if (word.startsWith('http://127.0.0.1:8080/')) path = new URL(word).pathname
    else throw new Error(`curl ${word}: this option or address is not known here`)
  }
  const init = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers }
  return { path, init: body === undefined ? init : { ...init, body } }
}

/** Our own packages exist; the others are those that ours name. */
function assertPackages(names: readonly string[]): void {
  for (const name of names.filter((word) => word.startsWith('@nexus/'))) manifestOf(name)
}

function manifestOf(name: string): string {
  const short = name.replace('@nexus/', '').replace(/^example-/, '')
  const folder = ['packages', 'apps', 'examples'].find((one) =>
    existsSync(join(repository, one, short, 'package.json')),
  )
  expect(folder, `${name} is no package of this repository`).toBeDefined()
  return `${folder}/${short}/package.json`
}

async function assertScript(manifest: string, script: string): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(repository, manifest), 'utf8'))
  expect(Object.keys(scripts), manifest).toContain(script)
}

function assertFile(path: string): void {
  expect(existsSync(join(repository, path)), path).toBe(true)
}
