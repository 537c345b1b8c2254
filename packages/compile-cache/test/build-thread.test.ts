import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CompileError,
  HandlerCompiler,
  type HandlerCompilerOptions,
} from '@nexus/compile-cache'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { runHandler } from './run-handler.js'
import { temporaryProject, writeProject } from './temporary-project.js'

const KiB = 1024
/** Sources up to this many bytes are built on the calling thread. */
const HERE = 512 * KiB

/** How many worker threads this thread has started since. */
function countThreads(): { count: number } {
  const threads = { count: 0 }
  const note = () => {
    threads.count++
  }
  subscribe('worker_threads', note)
  onTestFinished(() => {
    unsubscribe('worker_threads', note)
  })
  return threads
}

const comment = (bytes: number) => `/*${'x'.repeat(bytes - 4)}*/`

/** What compiles on the calling thread, so that every other thread is one that builds. */
const here: HandlerCompilerOptions = { offloadLength: 64 * 1024 * KiB }

/** For each way to a large build: the files beside the entry, and the entry, when they are `bytes` long together. */
const ways: Record<string, (bytes: number) => Record<string, string>> = {
  'the entry': (bytes) => {
    const code = 'export default () => 1'
    return { 'main.ts': code + comment(bytes - code.length) }
  },
  'files together': (bytes) => {
    const code = 'import a from "./a.js"; import b from "./b.js"; export default () => a + b'
    const rest = 'export default 1'
    const a = rest + comment(200 * KiB)
    return {
      'main.ts': code,
      'a.js': a,
      'b.js': rest + comment(bytes - code.length - a.length - rest.length),
    }
  },
  text: (bytes) => {
    const code = 'import text from "./a.txt"; export default () => text.length'
    return { 'main.ts': code, 'a.txt': 'y'.repeat(bytes - code.length) }
  },
  bytes: (bytes) => {
    const code = 'import b from "./a.bin" with { type: "bytes" }; export default () => b.length'
    return { 'main.ts': code, 'a.bin': 'y'.repeat(bytes - code.length) }
  },
  JSON: (bytes) => {
    const code = 'import { a } from "./a.json"; export default () => a.length'
    return { 'main.ts': code, 'a.json': `{"a":"${'y'.repeat(bytes - code.length - 8)}"}` }
  },
  'a package': (bytes) => {
    const code = 'import a from "pkg"; export default () => a'
    const rest = 'export default 1'
    return {
      'main.ts': code,
      'node_modules/pkg/index.js': rest + comment(bytes - code.length - rest.length),
    }
  },
  'a source map': (bytes) => {
    const code = 'export default () => 1\n//# sourceMappingURL=main.map'
    const map = { version: 3, sources: ['a'], names: [], mappings: 'AAAA' }
    const base = JSON.stringify({ ...map, sourcesContent: [''] }).length + code.length
    const content = 'z'.repeat(bytes - base)
    return { 'main.js': code, 'main.map': JSON.stringify({ ...map, sourcesContent: [content] }) }
  },
}

describe('a build of one byte more than fits on this thread is done on another', () => {
  it.each(Object.entries(ways))('%s', async (_name, filesOf) => {
    const threads = countThreads()
    for (const [bytes, count] of [
      [HERE, 0],
      [HERE + 1, 1],
    ] as const) {
      const files = filesOf(bytes)
      const rootDir = await temporaryProject(files)
      const entry = 'main.ts' in files ? 'main.ts' : 'main.js'
      const { bytecode } = await openCompiler({ ...here, rootDir }).compileFile(entry)
      expect(await runHandler(bytecode, null)).toBeTypeOf('number')
      expect([bytes, threads.count]).toEqual([bytes, count])
    }
  })

  it.each([
    ['TypeScript', 'export default (): number => 1'],
    ['with a module of Node', 'import "node:path"; export default (): number => 1'],
  ])('a source in %s', async (_name, code) => {
    const threads = countThreads()
    const compiler = openCompiler(here)
    for (const [length, count] of [
      [HERE, 0],
      [HERE + 1, 1],
    ] as const) {
      const source = code + comment(length - code.length)
      const { bytecode } = await compiler.compile(source, { language: 'ts' })
      expect(await runHandler(bytecode, null)).toBe(1)
      expect([length, threads.count]).toEqual([length, count])
    }
  })

  it('the thread is kept for the next one', async () => {
    const rootDir = await temporaryProject({
      ...ways.text!(2 * HERE),
      'other.ts': 'import text from "./a.txt"; export default () => text[0]',
    })
    const threads = countThreads()
    const compiler = openCompiler({ ...here, rootDir })
    await Promise.all([compiler.compileFile('main.ts'), compiler.compileFile('other.ts')])
    await compiler.compileFile('other.ts')
    expect(threads.count).toBe(1)
  })
})

describe('both threads', () => {
  /** What comes of the same project, once small and once with a large comment. */
  async function both(files: Record<string, string>, options: HandlerCompilerOptions = {}) {
    return Promise.all(
      ['', comment(2 * HERE)].map(async (padding) => {
        const project = await temporaryProject(files)
        const rootDir = join(project, 'functions')
        await writeProject(rootDir, { 'main.ts': `${files['functions/main.ts']}\n${padding}` })
        const compiler = openCompiler({ ...here, ...options, rootDir })
        const result = await compiler
          .compileFile('main.ts')
          .catch(({ code, rule, message, location }: CompileError) => ({
            ...{ code, rule, message, location },
          }))
        const looked = compiler.lookedAt('main.ts').map((path) => path.slice(project.length))
        return { result, looked: looked.sort(), project, compiler }
      }),
    )
  }

  it('make the same bundle of the same files, and see when one changes', async () => {
    const files = {
      'functions/main.ts': 'import { a } from "./a.js"; export default (): unknown => a',
      'functions/a.js': 'export { default as a } from "pkg"',
      'node_modules/pkg/index.js': 'export default 1',
    }
    const [small, large] = await both(files)
    expect.assert('bytecode' in small!.result && 'bytecode' in large!.result)
    expect(Buffer.compare(small!.result.bytecode, large!.result.bytecode)).toBe(0)
    const relative = ({ result, project }: typeof small & object) =>
      'inputs' in result && result.inputs?.map((path) => path.slice(project.length))
    expect(relative(large!)).toEqual(relative(small!))
    expect(large!.looked).toEqual(small!.looked)
    const again = await large!.compiler.compileFile('main.ts')
    expect(again.cacheTier).toBe('memory')
    await writeFile(join(large!.project, 'node_modules/pkg/index.js'), 'export default 2')
    const changed = await large!.compiler.compileFile('main.ts')
    expect(changed.cacheTier).toBe('none')
    expect(await runHandler(changed.bytecode, null)).toBe(2)
  })

  it.each([
    ['a syntax error', 'let x = ;'],
    ['a file outside', 'import "../secret.json"'],
    ['a dotfile', 'import "./.env"'],
    ['a Node module that is not there', 'import "node:dgram"'],
    ['a missing file', 'import "./none.js"'],
    ['a wrong attribute', 'import x from "./a.js" with { type: "wasm" }; export default x'],
    ['what only the engine refuses', 'export default () => /(?<a>x)(?<a>y)/'],
  ])('tell %s in the same way, and what was looked at', async (_name, code) => {
    const [small, large] = await both({
      'functions/main.ts': code,
      'functions/a.js': '',
      'secret.json': '"CANARY"',
      'functions/.env': 'CANARY',
    })
    expect(small!.result).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) })
    expect(large!.result).toEqual(small!.result)
    expect(large!.looked).toEqual(small!.looked)
    expect(JSON.stringify(large!.result)).not.toContain('CANARY')
  })

  it('refuse a link out of the import root', async () => {
    const project = await temporaryProject({
      'secret.txt': 'CANARY',
      'functions/main.ts': `import x from "./link.txt"\nexport default () => x\n${comment(2 * HERE)}`,
    })
    await symlink('../secret.txt', join(project, 'functions/link.txt'))
    const compiler = openCompiler({ ...here, rootDir: join(project, 'functions') })
    await expect(compiler.compileFile('main.ts')).rejects.toMatchObject({ rule: 'link' })
  })
})

describe('limits hold on the other thread', () => {
  it.each([
    ['maxFileBytes', { maxFileBytes: 2 * HERE }, 'file-size'],
    ['maxBundleBytes', { maxBundleBytes: 2 * HERE }, 'bundle-size'],
  ])('%s', async (_name, options, rule) => {
    for (const [bytes, expected] of [
      [2 * HERE, undefined],
      [2 * HERE + 1, rule],
    ] as const) {
      const rootDir = await temporaryProject(ways['the entry']!(bytes))
      const compiler = openCompiler({ ...here, ...options, rootDir })
      const error = await compiler.compileFile('main.ts').catch((thrown: CompileError) => thrown)
      expect((error as CompileError).rule).toBe(expected)
    }
  })

  it('no thread is started where the limit of a bundle fits on this one', async () => {
    const rootDir = await temporaryProject(ways['the entry']!(HERE + 1))
    const threads = countThreads()
    const compiler = openCompiler({ ...here, rootDir, maxBundleBytes: HERE })
    await expect(compiler.compileFile('main.ts')).rejects.toMatchObject({ rule: 'bundle-size' })
    expect(threads.count).toBe(0)
  })

  it('of an answer of esbuild: it repeats a line with each error in it, and more of that is read here than on this thread', async () => {
    const line = (bytes: number, errors: number) =>
      'let z;'.repeat(errors + 1) + comment(bytes - 6 * (errors + 1))
    for (const [bytes, errors, code] of [
      [HERE, 10, 'COMPILATION_ERROR'],
      [HERE, 60, 'RESOURCE_LIMIT'],
      [2 * HERE, 30, 'COMPILATION_ERROR'],
    ] as const) {
      const rootDir = await temporaryProject({ 'main.ts': line(bytes, errors) })
      const compiler = openCompiler({ ...here, rootDir, compileTimeoutMs: 60_000 })
      await expect(compiler.compileFile('main.ts')).rejects.toMatchObject({ code })
    }
  })

  it('the time of a build', async () => {
    const many = 'let z;'.repeat(200_000)
    const rootDir = await temporaryProject({ 'main.ts': many })
    const compiler = openCompiler({ ...here, rootDir, compileTimeoutMs: 1 })
    await expect(compiler.compileFile('main.ts')).rejects.toMatchObject({ code: 'RESOURCE_LIMIT' })
  })

  it('closing fails the build', async () => {
    const rootDir = await temporaryProject(ways['the entry']!(4 * HERE))
    const threads = countThreads()
    const compiler = new HandlerCompiler({ ...here, cacheDir: false, rootDir })
    const building = compiler.compileFile('main.ts').catch(({ code }: CompileError) => code)
    await expect.poll(() => threads.count).toBe(1)
    await compiler.close()
    expect(await building).toBe('CLOSED')
  })
})
