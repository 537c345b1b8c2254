import { describe, expect, it } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { requireBuild } from './require-build.js'
import { runHandler } from './run-handler.js'
import { temporaryProject } from './temporary-project.js'

requireBuild()

async function bundle(files: Record<string, string>) {
  const rootDir = await temporaryProject(files)
  return openCompiler({ rootDir }).compileFile('main.js')
}

async function run(files: Record<string, string>) {
  return runHandler((await bundle(files)).bytecode, null)
}

describe('a module of Node', () => {
  it.each(['import * as m from', 'import m from'])(
    'is found with and without node: by %s',
    async (how) => {
      const main = `${how} 'path'\n${how.replace(' m ', ' n ').replace('as m', 'as n')} 'node:path'\nexport default () => m === n || m.join === n.join`
      expect(await run({ 'main.js': main })).toBe(true)
    },
  )

  it('is what module.exports is in Node when it is required', async () => {
    const main = `const E = require('events'), { join } = require('node:path'), a = require('assert')
export default () => [new E() instanceof E.EventEmitter, join('a', 'b'), typeof a]`
    expect(await run({ 'main.js': main })).toEqual([true, 'a/b', 'function'])
  })

  it('wins over a package of its name, as in Node', async () => {
    const files = {
      'main.js': `import { sep } from 'path'\nexport default () => sep`,
      'node_modules/path/index.js': `exports.sep = 'of the package'`,
    }
    expect(await run(files)).toBe('/')
  })

  it('gives way to what a package maps it to', async () => {
    const files = {
      'main.js': `import lib from 'lib'\nexport default () => lib`,
      'node_modules/lib/package.json':
        '{ "main": "i.js", "browser": { "path": "./own.js", "events": false } }',
      'node_modules/lib/i.js': `module.exports = [require('path').own, typeof require('events')]`,
      'node_modules/lib/own.js': 'exports.own = 1',
    }
    expect(await run(files)).toEqual([1, 'object'])
  })

  it('costs only who uses it', async () => {
    const unused = await bundle({
      'main.js': `import { inspect } from 'util'\nexport default () => 1`,
    })
    const without = await bundle({ 'main.js': 'export default () => 1' })
    expect(unused.bytecode.length).toBe(without.bytecode.length)
  })

  it('cannot be reached by a path', async () => {
    for (const path of [
      'node:shared/x.js',
      'node:../modules.json',
      '/\0/globals',
      'node:buffer.js',
    ]) {
      const main = `import ${JSON.stringify(path)}\nexport default () => 1`
      await expect(bundle({ 'main.js': main })).rejects.toMatchObject({
        code: expect.stringMatching(/COMPILATION_ERROR|IMPORT_REFUSED/),
      })
    }
  })
})

describe('the globals of Node', () => {
  it('are there when the code names them', async () => {
    const main = `export default () => [typeof process.nextTick, typeof global, global === globalThis, typeof setImmediate]`
    expect(await run({ 'main.js': main })).toEqual(['function', 'object', true, 'function'])
  })

  it("are the handler's own where it declares them", async () => {
    const main = `const process = { mine: 1 }\nfunction f(Buffer) { return Buffer }\nexport default () => [process.mine, f(2)]`
    expect(await run({ 'main.js': main })).toEqual([1, 2])
  })

  it.each([
    'globalThis.process',
    'globalThis.process?.versions',
    'globalThis?.process',
    `globalThis['process']`,
    'self.process',
    'global.process',
    'typeof globalThis.process === "object" && process === globalThis.process && process',
  ])('are properties of the global object: %s', async (expression) => {
    const main = `export default () => { const found = ${expression}; return typeof (found.node ?? found.versions.node) }`
    expect(await run({ 'main.js': main })).toBe('string')
    const { bytecode } = await openCompiler().compile(main)
    expect(await runHandler(bytecode, null)).toBe('string')
  })

  it.each([
    ['globalThis.Buffer.alloc(3).length', 3],
    ['typeof global.setImmediate + typeof globalThis.clearImmediate', 'functionfunction'],
    ['globalThis.global === globalThis', true],
    [
      `(() => { const { env } = globalThis.process; return JSON.stringify(env) + 'process' in globalThis })()`,
      false,
    ],
    [`(globalThis.process, Object.keys(globalThis).includes('process'))`, false],
  ])('are what they are in Node: %s', async (expression, expected) => {
    expect(await run({ 'main.js': `export default () => ${expression}` })).toEqual(expected)
  })

  it('are on the global object when anything brings them, for code that has it by another name', async () => {
    const main = `import { Buffer as Bytes } from 'node:buffer'
import { env } from 'node:process'
const root = Function('return this')()
export default () => [root.Buffer === Bytes, root.process.env === env]`
    expect(await run({ 'main.js': main })).toEqual([true, true])
  })

  it.each([
    ['a program that makes its own', `globalThis.process = { env: { A: 1 } }`, 'process.env.A', 1],
    [
      'a polyfill',
      `import { Buffer } from 'buffer'; globalThis.Buffer ??= Buffer`,
      'globalThis.Buffer === Buffer',
      true,
    ],
    [
      'one that removes it',
      `globalThis.process; delete globalThis.process`,
      'typeof globalThis.process',
      'undefined',
    ],
  ])('are as %s leaves them', async (_, top, expression, expected) => {
    const read = expression.replace(/^process/, 'globalThis.process')
    expect(await run({ 'main.js': `${top}\nexport default () => ${read}` })).toEqual(expected)
  })

  it.each([
    'export default (event) => typeof event.process + event?.Buffer',
    'const queue = { process() {} }; export default () => queue.process()',
    'export default () => { const { process } = globalThis; return process }',
  ])('cost nothing where the code names them otherwise: %s', async (main) => {
    const { bytecode } = await bundle({ 'main.js': main })
    expect(bytecode.length).toBeLessThan(main.length + 400)
    expect(await runHandler(bytecode, {})).not.toBe('object')
  })
})

describe('code that only asks for a module', () => {
  it.each([
    ['try { require("fs") } catch (e) { found = e.code }', 'MODULE_NOT_FOUND'],
    ['try { require("node:child_process").exec } catch (e) { found = e.code }', 'MODULE_NOT_FOUND'],
    ['try { require("no-such-package") } catch (e) { found = e.code }', 'MODULE_NOT_FOUND'],
    ['try { require("./no-such-file") } catch (e) { found = e.code }', 'MODULE_NOT_FOUND'],
    ['await import("node:fs").catch((e) => { found = e.code })', 'ERR_MODULE_NOT_FOUND'],
    ['try { await import("vm") } catch (e) { found = e.code }', 'ERR_MODULE_NOT_FOUND'],
  ])('is told that it is not there: %s', async (ask, code) => {
    const main = `export default async () => { let found = 'is there'; ${ask}; return found }`
    expect(await run({ 'main.js': main })).toBe(code)
  })

  it('is not told of what the gate refuses', async () => {
    const main = 'export default () => { try { require("../outside.js") } catch { return 1 } }'
    await expect(bundle({ 'main.js': main })).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
  })

  it.each([
    'fs',
    'net',
    'child_process',
    'worker_threads',
    'vm',
    'node:fs/promises',
    'node:cluster',
  ])('and cannot do without %s is refused with the chain of imports', async (name) => {
    const files = {
      'main.js': `import { f } from './lib.js'\nexport default f`,
      'lib.js': `import * as m from '${name}'\nexport const f = () => m`,
    }
    await expect(bundle(files)).rejects.toThrow(`Import chain: main.js → lib.js → ${name}`)
  })
})

describe('a source that is no file', () => {
  it.each([
    `import { join } from 'node:path'\nexport default () => join('a', 'b')`,
    `export default () => require('path').join('a', 'b')`,
    `export default async () => (await import('path')).join('a', 'b')`,
    `export default () => { try { require('fs') } catch { return 'a/b' } }`,
  ])('follows the same rules: %s', async (source) => {
    const { bytecode } = await openCompiler().compile(source)
    expect(await runHandler(bytecode, null)).toBe('a/b')
  })

  it('imports no file', async () => {
    for (const specifier of ['./x.js', '/etc/passwd', 'lodash', '../x', 'https://a.example/x.js']) {
      const source = `import x from ${JSON.stringify(specifier)}\nexport default () => x`
      await expect(openCompiler().compile(source)).rejects.toThrow(
        'compile(source) does not bundle, use compileFile(path)',
      )
    }
  })
})
