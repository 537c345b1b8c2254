import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import type { ExecutionResult, Suspension } from '@nexus/executor'
import { afterAll, expect, it } from 'vitest'

const child = fileURLToPath(new URL('child.mjs', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'nexus-suspend-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function start(
  directory: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  key = '',
  node = process.execPath,
): ChildProcess {
  return spawn(node, [child, join(root, directory), key, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  })
}

async function run<T>(process: ChildProcess): Promise<T> {
  let text = ''
  process.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await new Promise((resolve) => process.on('close', resolve))
  return JSON.parse(text) as T
}

type Ended = ExecutionResult & { code?: string; suspension: Suspension }

function file(name: string, source: string): string {
  const path = join(root, name)
  writeFileSync(path, source)
  return path
}

/** A process starts slowly where the machine has much to do. */
const PATIENCE_MS = 180_000

it(
  'goes on in another process, with an npm package in it, inline and on threads',
  async () => {
    const path = fileURLToPath(new URL('with-package.mjs', import.meta.url))
    const first = await run<Ended>(start('package', ['suspend', path]))
    expect(first.status).toBe('suspended')
    expect(first.suspension.imageBytes).toBeLessThan(60 * 1024)
    const resume = ['resume', first.suspension.suspensionId, '{"name":"Ada","age":36}']
    const second = await run<Ended>(start('package', resume, { THREADS: '1' }))
    expect(second.status).toBe('suspended')
    const last = ['resume', second.suspension.suspensionId, '{"age":"x"}']
    expect((await run<Ended>(start('package', last))).value).toEqual(['Ada', 36, 'age,name'])
    expect(await run(start('package', ['list']))).toEqual([])
  },
  PATIENCE_MS,
)

/** Another version of Node, as `.ci/run` names one. */
const { NEXUS_OTHER_NODE: otherNode } = process.env
if (otherNode === undefined) {
  console.warn('skipped: set NEXUS_OTHER_NODE to the path of another version of Node, such as 24')
}

it.skipIf(otherNode === undefined)(
  'goes on under another version of Node, and back',
  async () => {
    const path = fileURLToPath(new URL('with-package.mjs', import.meta.url))
    const orders = [
      [process.execPath, otherNode!, process.execPath],
      [otherNode!, process.execPath, otherNode!],
    ] as const
    for (const [n, [first, second, third]] of orders.entries()) {
      const directory = `versions-${n}`
      const at = <T>(node: string, args: string[]) => run<T>(start(directory, args, {}, '', node))
      const begun = await at<Ended>(first, ['suspend', path])
      expect(begun.status).toBe('suspended')
      const wait = ({ suspension }: Ended) => ['resume', suspension.suspensionId]
      const gone = await at<Ended>(second, [...wait(begun), '{"name":"Ada","age":36}'])
      expect(gone).toMatchObject({ status: 'suspended' })
      const ended = await at<Ended>(third, [...wait(gone), '{"age":"x"}'])
      expect(ended.value).toEqual(['Ada', 36, 'age,name'])
    }
  },
  PATIENCE_MS,
)

it(
  'is not lost by kill -9, neither while it stands still nor while it is resumed',
  async () => {
    const path = file(
      'hang.mjs',
      `export default async (event, ctx) => { const how = await ctx.suspend('x'); if (how === 'hang') await hang(); return how }`,
    )
    const { suspension } = await run<Ended>(start('kill', ['suspend', path]))
    const { suspensionId } = suspension
    // The claim of a process that died lasts for its time limit and 30 s: here it is over at once.
    const hanging = start('kill', ['resume', suspensionId, '"hang"'], { TIMEOUT_MS: '20000' })
    await new Promise((resolve) => hanging.once('message', resolve))
    const busy = await run<Ended>(start('kill', ['resume', suspensionId, '"early"']))
    expect(busy.code).toBe('SUSPENSION_BUSY')
    hanging.kill('SIGKILL')
    await new Promise((resolve) => hanging.once('close', resolve))
    const claims = join(root, 'kill', 'claims')
    for (const name of readdirSync(claims)) {
      const claim = JSON.parse(readFileSync(join(claims, name), 'utf8')) as object
      writeFileSync(join(claims, name), JSON.stringify({ ...claim, until: Date.now() - 1 }))
    }
    const results = await Promise.all(
      Array.from({ length: 3 }, (_, n) =>
        run<Ended>(start('kill', ['resume', suspensionId, `"winner ${n}"`])),
      ),
    )
    const won = results.filter(({ status }) => status === 'success')
    expect(won.map(({ value }) => value)).toEqual([expect.stringMatching(/^winner \d$/)])
    for (const { status, code } of results) {
      if (status !== 'success') expect(code).toMatch(/^SUSPENSION_(BUSY|NOT_FOUND)$/)
    }
  },
  PATIENCE_MS,
)

it(
  'holds no secret in an image that is encrypted, and is refused without the key',
  async () => {
    const path = file(
      'secret.mjs',
      `export default async (event, ctx) => { const kept = [ctx.secrets.TOKEN + '!', event.n]; await ctx.suspend('x'); return kept[0].length }`,
    )
    const key = randomBytes(32).toString('base64')
    const { suspension } = await run<Ended>(start('secret', ['suspend', path], {}, key))
    const calls = join(root, 'secret', 'calls')
    const bytes = readdirSync(calls).map((name) => readFileSync(join(calls, name)))
    expect(bytes).toHaveLength(1)
    expect(bytes.some((image) => image.includes('hunter-22'))).toBe(false)
    const resume = ['resume', suspension.suspensionId]
    const refused = await run<Ended>(start('secret', resume))
    expect(refused).toMatchObject({ code: 'SUSPENSION_REFUSED' })
    expect((await run<Ended>(start('secret', resume, {}, key))).value).toBe(20)
    // The same in clear, to show what the encryption is for.
    await run<Ended>(start('clear', ['suspend', path]))
    const inClear = join(root, 'clear', 'calls')
    const image = readFileSync(join(inClear, readdirSync(inClear)[0]!))
    const end = 6 + 4 + image.readUInt32LE(6)
    expect(brotliDecompressSync(image.subarray(end, -32)).includes('hunter-22-hunter-22!')).toBe(
      true,
    )
  },
  PATIENCE_MS,
)
