import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openCompiler } from './open-compiler.js'
import { temporaryProject } from './temporary-project.js'

/** The clock never goes back, also not between two tests. */
let latest = performance.now() + 1000

/** Each look at the clock takes a millisecond: a build looks at it before each piece of its work. */
function countedClock() {
  const clock = { looks: 0 }
  const now = vi.spyOn(performance, 'now').mockImplementation(() => {
    clock.looks++
    return ++latest
  })
  onTestFinished(() => now.mockRestore())
  return clock
}

/** The most looks at the clock between two turns of everything else, while `work` goes on. */
async function longestTurn(clock: { looks: number }, work: Promise<unknown>): Promise<number> {
  let done = false
  let longest = 0
  const settled = work.finally(() => {
    done = true
  })
  for (let last = clock.looks; !done; last = clock.looks) {
    await setImmediate()
    longest = Math.max(longest, clock.looks - last)
  }
  await settled
  return longest
}

const IMPORTS = 1000

it('a build of 1,000 imports leaves each 10th step a turn to everything else, with others beside it', async () => {
  const modules = (count: number) =>
    `${Array.from({ length: count }, (_, n) => `import { v as v${n} } from './f${n}.js'`).join('\n')}\nexport default () => v0`
  const directory = await temporaryProject({
    ...Object.fromEntries(
      Array.from({ length: IMPORTS }, (_, n) => [`f${n}.js`, `export const v = ${n}`]),
    ),
    'a.js': modules(IMPORTS),
    'b.js': modules(100),
    'c.js': modules(100),
  })
  const entries = ['a.js', 'b.js', 'c.js']
  const compiler = openCompiler({ rootDir: directory, compileTimeoutMs: 100_000, offloadLength: 0 })
  const clock = countedClock()
  const compileAll = () => Promise.all(entries.map((file) => compiler.compileFile(file)))
  expect(await longestTurn(clock, compileAll())).toBeLessThanOrEqual(25)
  expect(clock.looks).toBeGreaterThan(2 * IMPORTS)
  // So does the look at whether everything still is as it was.
  const looks = clock.looks
  expect(await longestTurn(clock, compileAll())).toBeLessThanOrEqual(25)
  expect(clock.looks - looks).toBeGreaterThan(2 * IMPORTS)
  expect(compiler.getStats().bundles).toBe(3)
})

it('a chain of configurations is read in many turns', async () => {
  const chain = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [
      n === 0 ? 'tsconfig.json' : `c${n}.json`,
      JSON.stringify({ extends: `./c${n + 1}.json` }),
    ]),
  )
  const directory = await temporaryProject({ ...chain, 'main.ts': 'export default () => 1' })
  const compiler = openCompiler({ rootDir: directory, offloadLength: 0 })
  const clock = countedClock()
  expect(await longestTurn(clock, compiler.compileFile('main.ts'))).toBeLessThanOrEqual(25)
  expect(clock.looks).toBeGreaterThan(60)
})

it('finding one module among paths of a tsconfig.json takes a bounded number of steps', async () => {
  const build = async (count: number) => {
    const paths = { '#x': missing(count) }
    const directory = await temporaryProject({
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths } }),
      'last.js': 'export default 1',
      'main.ts': 'import x from "#x"; export default () => x',
    })
    return openCompiler({ rootDir: directory }).compileFile('main.ts')
  }
  await expect(build(20)).resolves.toMatchObject({ cacheTier: 'none' })
  await expect(build(5_000)).rejects.toMatchObject({ rule: 'resolve-steps' })
})

function missing(count: number): string[] {
  return [...Array.from({ length: count }, (_, n) => `./none-${n}.js`), './last.js']
}
