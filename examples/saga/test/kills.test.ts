import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBus, localStore } from '@nexus/event-bus'
import { expect, it, onTestFinished } from 'vitest'

const functions = join(import.meta.dirname, '../functions')
const STATEMENT = /^\s+(await|const|for|if|isPlaced|let|return|undo)\b/

/** The function with a call before each of its statements, which says its number. */
function numbered(source: string): { text: string; lines: number } {
  const begin = source.indexOf('ctx) => {\n') + 'ctx) => {\n'.length
  let lines = 0
  const body = source.slice(begin).replace(/^.*$/gm, (line) => {
    if (!STATEMENT.test(line)) return line
    return `await ctx.call('test', 'line', order.id, ${lines++}); ${line}`
  })
  return { text: source.slice(0, begin) + body, lines }
}

it('each service does its work once and undoes it once, whatever line the process is killed at', {
  timeout: 120_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-saga-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const { text, lines } = numbered(await readFile(join(functions, 'place-order.ts'), 'utf8'))
  expect(lines).toBeGreaterThan(12)
  // Two processes at a time, each with half of the lines.
  const halves = [0, 1].map((half) =>
    Array.from({ length: lines }, (_, n) => n).filter((n) => n % 2 === half),
  )
  const killed = await Promise.all(
    halves.map((half, n) => killAtEach(half, join(directory, String(n)), text)),
  )
  // The two lines behind a courier who goes there are not reached.
  expect(killed[0]! + killed[1]!).toBe(lines - 2)
})

/** Places an order for each of the lines, and kills the process there once; answers how often it was killed. */
async function killAtEach(lines: number[], directory: string, text: string): Promise<number> {
  await mkdir(directory)
  const placeOrder = join(directory, 'place-order.ts')
  await writeFile(placeOrder, text)
  for (let code: number | null = null; code !== 0; ) {
    const child = fork(
      join(import.meta.dirname, 'child.mjs'),
      [directory, functions, placeOrder, lines.join(',')],
      // The child runs what was built.
      { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } },
    )
    const [ended, signal] = (await once(child, 'exit')) as [number | null, string | null]
    code = ended
    if (code !== 0) expect(signal).toBe('SIGKILL')
  }
  await expectEachOnce(
    join(directory, 'bus'),
    lines.map((line) => `o${line}`),
  )
  return (await readdir(directory)).filter((name) => name.startsWith('killed-')).length
}

async function expectEachOnce(path: string, orders: string[]): Promise<void> {
  const bus = await EventBus.open({ store: localStore({ path, readOnly: true }) })
  onTestFinished(() => bus.close())
  for (const type of [
    'stock.reserved',
    'stock.released',
    'payment.charged',
    'payment.refunded',
    'courier.requested',
    'courier.answered',
  ]) {
    const { events } = await bus.list({ type: `com.nexus.${type}`, limit: 1000 })
    const of = events.map(({ event }) => (event.data as { order: string }).order)
    expect([type, of.sort()]).toEqual([type, orders.toSorted()])
  }
}
