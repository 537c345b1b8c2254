import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const tests = ['packages', 'apps']
  .flatMap((parent) => readdirSync(root + parent).map((name) => `${parent}/${name}`))
  .flatMap((directory) => [`${directory}/src`, `${directory}/test`])
  .filter((directory) => existsSync(root + directory))
  .flatMap((directory) =>
    readdirSync(root + directory, { recursive: true, encoding: 'utf8' }).map(
      (path) => `${directory}/${path.replaceAll('\\', '/')}`,
    ),
  )

interface Named {
  readonly file: string
  /** Beginning of the path that the heading of the table gives, such as `packages/executor/`. */
  readonly base: string
  /** Words of the test's title, when the document quotes them right after the file. */
  readonly title: string | undefined
}

/** The test files that a document names in back quotes. */
function namedIn(document: string): Named[] {
  let base = ''
  return readFileSync(`${root}${document}`, 'utf8')
    .split(/\n(?=\|)|\n\n/)
    .flatMap((part) => {
      const heading = /test \(`(packages\/[\w-]+\/)…`\)/.exec(part)
      if (heading) base = heading[1]!
      const found = part.matchAll(/`([\w./-]+\.ts)`(?:\s*(?:\(|:\s*)"([^"]+)")?/g)
      return [...found].map(([, file, title]) => ({ file: file!, base, title }))
    })
}

it.each(namedIn('SECURITY.md'))(
  'SECURITY.md names a test that exists: $file',
  ({ file, base, title }) => {
    const paths = tests.filter(
      (path) => path === file || path === base + file || path.endsWith(`/${file}`),
    )
    expect(paths).not.toEqual([])
    if (title === undefined) return
    const texts = paths.map((path) => readFileSync(root + path, 'utf8'))
    expect(texts.some((text) => text.includes(title))).toBe(true)
  },
)

it('SECURITY.md names a test for each promise of its tables', () => {
  const rows = readFileSync(`${root}SECURITY.md`, 'utf8').match(/^\| .+ \| +(.+?) +\|$/gm) ?? []
  const promises = rows.filter((row) => !/^\| (?:-|promise| {5}|\*\*)/.test(row))
  expect(promises.length).toBeGreaterThan(10)
  for (const row of promises) expect(row).toMatch(/`[\w./-]+\.ts`/)
})
