import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyService, readServicesFile } from '@nexus/process-manager'
import { eventually } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, logLines, sandbox, statusOf } from './support/sandbox.js'

describe('A service that watches its directory', () => {
  it('is restarted when a file in it changes, also after a change that broke it, and not once it is stopped', async () => {
    const { engine, home } = sandbox()
    const directory = join(home, 'program')
    mkdirSync(join(directory, 'node_modules'), { recursive: true })
    const script = join(directory, 'script.mjs')
    const says = (text: string) =>
      writeFileSync(script, `console.log(${JSON.stringify(text)}); setInterval(() => {}, 60_000)`)
    says('one')
    const restart = { maxRestarts: 0 }
    await engine.start({ name: 'web', script, watch: [directory], restart })
    const said = async () => (await logLines(engine, 'web')).map(({ text }) => text)
    // Written again after a while: the watcher may not be there with the first.
    const untilSaid = async (text: string, name: string) => {
      let writtenAt = Number.NEGATIVE_INFINITY
      await eventually(
        async () => {
          if (performance.now() - writtenAt > 5_000) {
            says(text)
            writtenAt = performance.now()
          }
          return (await logLines(engine, name)).map((line) => line.text)
        },
        (lines) => lines.includes(text),
        40_000,
      )
    }
    await untilSaid('two', 'web')
    writeFileSync(script, 'throw new Error("broken")')
    await statusOf(engine, 'web', ({ state }) => state === 'errored')
    says('three')
    await eventually(said, (lines) => lines.includes('three'))
    await statusOf(engine, 'web', ({ state }) => state === 'online')
    await engine.stop('web')
    says('four')
    // A witness that watches the same is restarted; the other one stays as it is.
    await engine.start({ name: 'witness', script, watch: [directory], restart })
    await untilSaid('five', 'witness')
    expect((await engine.list())[0]).toMatchObject({ name: 'web', state: 'stopped' })
    expect(await said()).not.toContain('five')
  })
})

describe('A service with times of restart', () => {
  it('is restarted at them, and refuses what is no cron expression', async () => {
    const { engine } = sandbox()
    const script = fixture('idle.mjs')
    await engine.start({ name: 'every', script, cronRestart: '* * * * * *' })
    await statusOf(
      engine,
      'every',
      ({ state, instances: [one] }) => state === 'online' && (one?.restarts ?? 0) > 0,
    )
    await expect(
      engine.start({ name: 'never', script, cronRestart: 'each morning' }),
    ).rejects.toMatchObject({ code: 'INVALID_DEFINITION' })
  })
})

describe('A script in TypeScript', () => {
  const stripsTypes = typeof (process.features as { typescript?: unknown }).typescript === 'string'

  it('runs where Node strips types, and says what is missing elsewhere', async () => {
    const { engine, home } = sandbox()
    const script = join(home, 'typed.ts')
    copyFileSync(fixture('typed.ts'), script)
    const started = engine.start({ name: 'typed', script })
    if (stripsTypes) {
      expect(await started).toMatchObject({ state: 'online' })
      await eventually(
        () => logLines(engine, 'typed'),
        (lines) => lines.some(({ text }) => text === 'typed'),
      )
      return
    }
    await expect(started).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('npm install tsx'),
    })
    // What is called tsx beside the script is loaded first.
    const tsx = join(home, 'node_modules/tsx')
    mkdirSync(tsx, { recursive: true })
    writeFileSync(join(tsx, 'package.json'), '{"name":"tsx","main":"index.mjs"}')
    writeFileSync(
      join(tsx, 'index.mjs'),
      `import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent(\`
        import { readFile } from 'node:fs/promises'
        export async function load(url, context, next) {
          if (!url.endsWith('.ts')) return next(url, context)
          const source = (await readFile(new URL(url), 'utf8')).replace(': { said: string }', '')
          return { format: 'module', source, shortCircuit: true }
        }\`))`,
    )
    expect(await engine.start({ name: 'typed', script })).toMatchObject({ state: 'online' })
    await eventually(
      () => logLines(engine, 'typed'),
      (lines) => lines.some(({ text }) => text === 'typed'),
    )
    expect(readFileSync(script, 'utf8')).toContain('said: string')
  })
})

describe('A file of services', () => {
  it('is applied again and again: what runs as it says is left alone', async () => {
    const { engine, home } = sandbox()
    const file = join(home, 'services.yaml')
    copyFileSync(fixture('idle.mjs'), join(home, 'idle.mjs'))
    writeFileSync(join(home, 'variables'), 'A=from the file\nB=also\n')
    const write = (argument: string) =>
      writeFileSync(
        file,
        `services:
  a:
    script: idle.mjs
    envFile: variables
    env: { A: 1 }
  b: { script: ./idle.mjs, args: [${argument}], instances: 2 }
`,
      )
    const apply = async () => {
      const applied = []
      for (const each of await readServicesFile(file))
        applied.push(await applyService(engine, each))
      return applied.map(({ name, outcome }) => `${name} ${outcome}`)
    }
    write('x')
    expect((await readServicesFile(file))[0]).toEqual({
      name: 'a',
      script: join(home, 'idle.mjs'),
      env: { A: '1', B: 'also' },
    })
    expect(await apply()).toEqual(['a started', 'b started'])
    const before = await engine.list()
    expect(await apply()).toEqual(['a unchanged', 'b unchanged'])
    expect((await engine.list()).map(({ instances }) => instances[0]?.pid)).toEqual(
      before.map(({ instances }) => instances[0]?.pid),
    )
    write('y')
    await engine.stop('a')
    expect(await apply()).toEqual(['a started', 'b replaced'])
  })

  it.each([
    ['services:\n  a: { script: a.js, prot: 3000 }', 'prot'],
    ['services:\n  a: { script: a.js }\nservice: {}', 'service'],
    ['services:\n  "a/b": { script: a.js }', 'a/b'],
    ['services:\n  a: { port: 1 }', 'services.a.script'],
    ['services:\n  a: { script: a.js, envFile: missing }', 'missing'],
    ['services: [', 'services.yaml'],
    ['just text', 'expected'],
  ])('is refused as a whole with what is wrong in it: %j', async (text, named) => {
    const { home } = sandbox()
    const file = join(home, 'services.yaml')
    writeFileSync(file, text)
    await expect(readServicesFile(file)).rejects.toMatchObject({
      code: 'INVALID_DEFINITION',
      message: expect.stringContaining(named),
    })
  })
})
