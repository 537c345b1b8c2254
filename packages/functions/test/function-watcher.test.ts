import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { EventBus, memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { FunctionHost, FunctionWatcher } from '@nexus/functions'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'

/** Path below the workspace, and text; a file that is not named is not there. */
type Files = Record<string, string>

const runtime = new WasmRuntime({ threads: 1 })
afterAll(() => runtime.shutdown())

const entry = (specifier: string) =>
  `import { word } from '${specifier}'\nexport default () => word\n`
const word = (text: string) => `export const word: string = '${text}'\n`
const start: Files = { 'app/fn.ts': entry('./lib/word.ts'), 'app/lib/word.ts': word('first') }
const manifest = (main: string) => JSON.stringify({ name: 'pkg', version: '1.0.0', main })

/** Edits after which the function cannot be built, each with the files that mend it. */
const breaks: Record<string, { broken: Files; mended: Files }> = {
  'an imported file does not compile': {
    broken: { ...start, 'app/lib/word.ts': 'export const word = (' },
    mended: { ...start, 'app/lib/word.ts': word('mended') },
  },
  'the entry does not compile': {
    broken: { ...start, 'app/fn.ts': 'export default (' },
    mended: { ...start, 'app/fn.ts': "export default () => 'mended'\n" },
  },
  'the entry is gone': {
    broken: { 'app/lib/word.ts': word('first') },
    mended: { ...start, 'app/lib/word.ts': word('mended') },
  },
  'an imported file is gone': {
    broken: { 'app/fn.ts': entry('./lib/word.ts'), 'app/lib/other.ts': '' },
    mended: { ...start, 'app/lib/word.ts': word('mended') },
  },
  'the directory of an imported file is gone': {
    broken: { 'app/fn.ts': entry('./lib/word.ts') },
    mended: { ...start, 'app/lib/word.ts': word('mended') },
  },
  'everything is gone': {
    broken: {},
    mended: { ...start, 'app/lib/word.ts': word('mended') },
  },
  'a file is imported that is not written yet': {
    broken: { ...start, 'app/fn.ts': entry('./new.ts') },
    mended: { ...start, 'app/fn.ts': entry('./new.ts'), 'app/new.ts': word('mended') },
  },
  'a file is imported from directories that are not there yet': {
    broken: { ...start, 'app/fn.ts': entry('./a/b/c/new.ts') },
    mended: { ...start, 'app/fn.ts': entry('./a/b/c/new.ts'), 'app/a/b/c/new.ts': word('mended') },
  },
  'a file without an extension is imported that becomes a directory with an index': {
    broken: { ...start, 'app/fn.ts': entry('./new') },
    mended: { ...start, 'app/fn.ts': entry('./new'), 'app/new/index.ts': word('mended') },
  },
  'a package is not installed, and nothing else is': {
    broken: { ...start, 'app/fn.ts': entry('pkg') },
    mended: {
      ...start,
      'app/fn.ts': entry('pkg'),
      'node_modules/pkg/package.json': manifest('index.js'),
      'node_modules/pkg/index.js': "export const word = 'mended'\n",
    },
  },
  'a package is not installed, others are': {
    broken: {
      ...start,
      'app/fn.ts': entry('@scope/pkg/deep'),
      'node_modules/other/index.js': '',
    },
    mended: {
      ...start,
      'app/fn.ts': entry('@scope/pkg/deep'),
      'node_modules/other/index.js': '',
      'node_modules/@scope/pkg/deep.js': "export const word = 'mended'\n",
    },
  },
  'a package names a file that it does not have': {
    broken: {
      ...start,
      'app/fn.ts': entry('pkg'),
      'node_modules/pkg/package.json': manifest('gone.js'),
    },
    mended: {
      ...start,
      'app/fn.ts': entry('pkg'),
      'node_modules/pkg/package.json': manifest('gone.js'),
      'node_modules/pkg/gone.js': "export const word = 'mended'\n",
    },
  },
  'an alias of tsconfig.json is not there': {
    broken: { ...start, 'app/fn.ts': entry('#words/word') },
    mended: {
      ...start,
      'app/fn.ts': entry('#words/word'),
      'app/tsconfig.json': JSON.stringify({
        compilerOptions: { paths: { '#words/*': ['./lib/*'] } },
      }),
      'app/lib/word.ts': word('mended'),
    },
  },
  'tsconfig.json extends a file that is gone, and an alias stands in it': {
    broken: {
      ...start,
      'app/fn.ts': entry('words/word'),
      'app/tsconfig.json': JSON.stringify({ extends: './base.json' }),
    },
    mended: {
      ...start,
      'app/fn.ts': entry('words/word'),
      'app/tsconfig.json': JSON.stringify({ extends: './base.json' }),
      'app/base.json': JSON.stringify({ compilerOptions: { paths: { 'words/*': ['./lib/*'] } } }),
      'app/lib/word.ts': word('mended'),
    },
  },
}

/** Ways in which programs bring a directory from one state to another. */
const ways: Record<string, (root: string, files: Files) => Promise<void>> = {
  'files are written in place': write,
  'an editor writes beside each file and renames': async (root, files) => {
    for (const [name, text] of Object.entries(files)) {
      await write(root, { [`${name}~`]: text })
      await rename(join(root, `${name}~`), join(root, name))
    }
  },
  'the directories are removed and written again': async (root, files) => {
    await clear(root)
    await write(root, files)
  },
  'the directories are replaced by others with a rename': async (root, files) => {
    const other = await prepared(files)
    for (const top of tops) {
      await rename(join(root, top), join(other, `old-${top}`)).catch(() => {})
      await rename(join(other, top), join(root, top)).catch(() => {})
    }
  },
  'the directories become links to others': async (root, files) => {
    const other = await prepared(files)
    await clear(root)
    for (const top of topsOf(files)) await symlink(join(other, top), join(root, top))
  },
  'the directory above is replaced': async (root, files) => {
    const other = await prepared(files)
    await rename(root, join(other, 'old'))
    await cp(other, root, { recursive: true, filter: (path) => path !== join(other, 'old') })
  },
}

const tops = ['app', 'node_modules']

describe.each(Object.entries(breaks))('after %s', (_, { broken, mended }) => {
  it.each(Object.entries(ways))(
    'the mending is noticed when %s, and so is the next edit',
    async (_, way) => {
      const watched = await watch(start)
      expect(await watched.value()).toBe('first')
      await becomes(watched.root, start, broken)
      await watched.problem()
      expect(await watched.value()).toBe('first')
      await way(watched.root, mended)
      await watched.runs('mended')
      await way(watched.root, { ...start, 'app/fn.ts': "export default () => 'edited'\n" })
      await watched.runs('edited')
    },
  )
})

it('an installed package that is replaced by another version is noticed', async () => {
  const version = (text: string): Files => ({
    'app/fn.ts': entry('pkg'),
    'node_modules/pkg/index.js': `export const word = '${text}'\n`,
  })
  const watched = await watch(version('1.0.0'))
  expect(await watched.value()).toBe('1.0.0')
  await rm(join(watched.root, 'node_modules/pkg'), { recursive: true })
  await write(watched.root, version('2.0.0'))
  await watched.runs('2.0.0')
})

it('a link that leads to another directory is noticed', async () => {
  const watched = await watch({
    ...start,
    'app/v1/word.ts': word('one'),
    'app/v2/word.ts': word('two'),
  })
  const link = join(watched.root, 'app/current')
  await symlink('v1', link)
  await write(watched.root, { 'app/fn.ts': entry('./current/word.ts') })
  await watched.runs('one')
  await symlink('v2', `${link}~`)
  await rename(`${link}~`, link)
  await watched.runs('two')
})

it('a file that load needs and that is missing is noticed once it is there', async () => {
  const root = await workspace(start)
  const list = join(root, 'new/deep/list.json')
  const host = await hostOf(root)
  const outcomes = outcomesOf({
    host,
    load: async (needs) => {
      needs(list)
      const { readFile } = await import('node:fs/promises')
      return JSON.parse(await readFile(list, 'utf8'))
    },
  })
  expect(await outcomes.problem()).toMatchObject({ code: 'ENOENT' })
  await write(root, { 'new/deep/list.json': JSON.stringify([definitionOf(root, 'other')]) })
  await outcomes.reload()
  expect(host.names).toEqual(['other'])
})

it('a change that is not one of what the build looked at is not told', async () => {
  const watched = await watch(start)
  await write(watched.root, { 'app/notes.md': 'x', 'app/lib/unused.ts': 'x', 'other/fn.ts': 'x' })
  await write(watched.root, { 'app/fn.ts': "export default () => 'edited'\n" })
  await watched.runs('edited')
  expect(watched.count()).toBe(1)
})

async function watch(files: Files) {
  const root = await workspace(files)
  const host = await hostOf(root)
  const outcomes = outcomesOf({ host })
  const value = async () => (await host.invoke('fn')).value
  /** Reloads until the function gives this. */
  const runs = async (expected: string) => {
    while ((await value()) !== expected) await outcomes.reload()
  }
  return { root, value, runs, ...outcomes }
}

async function hostOf(root: string): Promise<FunctionHost> {
  const bus = await EventBus.open({ store: memoryStore() })
  onTestFinished(() => bus.close())
  const host = new FunctionHost({ bus, runtime })
  await host.bind([definitionOf(root, 'fn')])
  onTestFinished(() => host.close())
  return host
}

function definitionOf(root: string, name: string) {
  return { name, file: join(root, 'app/fn.ts'), importRoot: join(root, 'app'), events: 'unused' }
}

/** A watcher and what it tells, in order. */
function outcomesOf(
  options: Pick<ConstructorParameters<typeof FunctionWatcher>[0], 'host' | 'load'>,
) {
  const told: (Error | readonly string[])[] = []
  let count = 0
  let wake = () => {}
  const tell = (outcome: Error | readonly string[]) => {
    count++
    told.push(outcome)
    wake()
  }
  const watcher = new FunctionWatcher({ ...options, onReload: tell, onProblem: tell })
  onTestFinished(() => watcher.close())
  const next = async (): Promise<Error | readonly string[]> => {
    while (told.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return told.shift()!
  }
  const until = async (wanted: (outcome: Error | readonly string[]) => boolean) => {
    for (;;) {
      const outcome = await next()
      if (wanted(outcome)) return outcome
    }
  }
  return {
    problem: () => until((outcome) => outcome instanceof Error),
    reload: () => until((outcome) => !(outcome instanceof Error)),
    count: () => count,
  }
}

async function workspace(files: Files): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-watch-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const root = join(directory, 'workspace')
  await mkdir(root)
  await write(root, files)
  return root
}

/** A directory elsewhere with these files. */
async function prepared(files: Files): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-watch-other-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await write(directory, files)
  return directory
}

async function write(root: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
}

async function clear(root: string): Promise<void> {
  for (const top of tops) await rm(join(root, top), { recursive: true, force: true })
}

function topsOf(files: Files): string[] {
  return tops.filter((top) => Object.keys(files).some((name) => name.startsWith(`${top}/`)))
}

/** Writes what differs, removes what is not named, and directories that are empty then. */
async function becomes(root: string, before: Files, after: Files): Promise<void> {
  await write(
    root,
    Object.fromEntries(Object.entries(after).filter(([name, text]) => before[name] !== text)),
  )
  for (const name of Object.keys(before)) if (!(name in after)) await rm(join(root, name))
  const kept = Object.keys(after)
  for (const directory of ['app/lib', 'app']) {
    if (kept.some((name) => name.startsWith(`${directory}/`))) continue
    await rm(join(root, directory), { recursive: true, force: true })
  }
}
