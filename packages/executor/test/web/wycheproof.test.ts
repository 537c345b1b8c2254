import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'
import { type Outcomes, runGroup, type TestGroup } from './wycheproof-guest.js'

const runtime = openRuntime({ threads: 1, timeoutMs: 300_000, maxHostCalls: 1_000_000 })
const code = `${runGroup}; export default (event) => runGroup(event)`

const selected = fileURLToPath(new URL('../vectors/wycheproof', import.meta.url))
const checkout = process.env.NEXUS_WYCHEPROOF
const names = (await readdir(selected)).filter((name) => name.endsWith('.jsonl'))

async function readAll(name: string): Promise<TestGroup[]> {
  const file = join(checkout!, 'testvectors_v1', name.replace('.jsonl', '_test.json'))
  const { testGroups } = JSON.parse(await readFile(file, 'utf8'))
  return testGroups.map((group: TestGroup & { publicKey?: { curve?: string } }) => ({
    curve: group.publicKey?.curve,
    ...group,
  }))
}

async function readSelected(name: string): Promise<TestGroup[]> {
  const text = await readFile(join(selected, name), 'utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** What the file says by its name and not in its groups. */
const HASHES: Readonly<Record<string, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
}

/** With AES-GCM Node takes initialization vectors of 12 to 128 bytes. */
function expectedOf({ iv, result }: TestGroup['tests'][number]): string {
  const isRefused = typeof iv === 'string' && (iv.length < 24 || iv.length > 256)
  return isRefused ? 'acceptable' : result
}

it.each(names)('no vector of Wycheproof is wrong: %s', async (name) => {
  const testGroups = checkout ? await readAll(name) : await readSelected(name)
  const hash = /sha(?:1|256|384|512)/.exec(name)?.[0]
  const wrong: string[] = []
  let count = 0
  for (const group of testGroups) {
    const event = { sha: hash && HASHES[hash], ...group }
    const { value, error } = await runtime.executeHandler<Outcomes>(code, { event })
    expect(error).toBeUndefined()
    const results = new Map(group.tests.map((test) => [test.tcId, expectedOf(test)]))
    for (const [tcId, passed] of value!) {
      count++
      const expected = results.get(tcId)
      if (expected !== 'acceptable' && passed !== (expected === 'valid')) {
        wrong.push(`${tcId}: ${expected}, and ${passed ? 'accepted' : 'refused'}`)
      }
    }
  }
  expect(wrong).toEqual([])
  expect(count).toBe(testGroups.reduce((sum, { tests }) => sum + tests.length, 0))
})
