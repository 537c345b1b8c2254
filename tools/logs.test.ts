import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

interface LogCall {
  package: string
  level: string
  message: string
}

/** The entries that the source of one package can log; methods named `#warn` pass their text on as a warning. */
function logCalls(name: string, source: string): LogCall[] {
  const code = source.replace(/^\s*(\*|\/\/).*$/gm, '')
  const starts = code.matchAll(/(?:\blogger\.(debug|info|warn|error)|#(warn))\(/g)
  return [...starts].flatMap((start) => {
    const message = /'([^']+)',?\s*$/.exec(argumentsAt(code, start.index + start[0].length))?.[1]
    return message === undefined ? [] : [{ package: name, level: start[1] ?? start[2]!, message }]
  })
}

/** The text up to the bracket that ends a call. */
function argumentsAt(code: string, from: number): string {
  let depth = 1
  let end = from
  for (; end < code.length && depth > 0; end++) {
    if (code[end] === '(') depth++
    else if (code[end] === ')') depth--
  }
  return code.slice(from, end - 1)
}

const sources = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(root + parent).flatMap((folder) => {
    const directory = `${root}${parent}/${folder}/src`
    if (!existsSync(directory)) return []
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => ({ name: folder, text: readFileSync(`${directory}/${file}`, 'utf8') }))
  }),
)
const logged = sources.flatMap(({ name, text }) => logCalls(name, text))
const key = ({ package: name, level, message }: LogCall) => `${name} ${level}: ${message}`

const documented = [
  ...readFileSync(`${root}docs/logs.md`, 'utf8').matchAll(
    /^\| `?(debug|info|warn|error)`? +\| ([\w-]+) +\| (.+?) +\|/gm,
  ),
].map(([, level, name, message]) => ({ package: name!, level: level!, message: message! }))

it('docs/logs.md lists every entry that a package can log, and no other', () => {
  expect(logged.length).toBeGreaterThan(30)
  expect([...new Set(documented.map(key))].sort()).toEqual([...new Set(logged.map(key))].sort())
})

it('every message is a text of its own, so that this list is complete', () => {
  const forwarded = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/\blogger(?:\.\w+|\[\w+\])\([^'`]*?\b(message)\)/g)].map(() => name),
  )
  // The server passes on the text of #warn; diagnostics passes on everything.
  expect(forwarded.sort()).toEqual(['diagnostics', 'server'])
})
