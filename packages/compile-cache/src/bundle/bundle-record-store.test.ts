import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { ArtifactStore } from '../tiers/artifact-store.js'
import { type BundleRecord, BundleRecordStore } from './bundle-record-store.js'

const directory = mkdtempSync(join(tmpdir(), 'nexus-record-'))
const file = join(directory, 'main.js')
const other = join(directory, 'other.js')
writeFileSync(file, 'export default 1')
writeFileSync(other, 'export default 2')

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
const record: BundleRecord = {
  cacheKey: 'ab'.repeat(32),
  inputs: [file],
  facts: { places: [[file, 'file']], contents: [[file, digest('export default 1')]] },
}

/** What is taken for current of a record that lies in the cache. */
async function currentOf(stored: unknown): Promise<BundleRecord | undefined> {
  const text = typeof stored === 'string' ? stored : JSON.stringify(stored)
  const store = { readRecord: async () => text } as unknown as ArtifactStore
  return new BundleRecordStore(store, 1_000_000).current('id')
}

it('takes the record that a build wrote, while everything is as it was', async () => {
  onTestFinished(() => rmSync(directory, { recursive: true }))
  expect(await currentOf(record)).toEqual(record)
  const { facts } = record
  const forged: [string, unknown][] = [
    ['no JSON', '{'],
    ['a list', []],
    ['a key that leads to another directory', { ...record, cacheKey: '../../other' }],
    ['a key in capitals', { ...record, cacheKey: 'AB'.repeat(32) }],
    ['a key that is too short', { ...record, cacheKey: 'ab'.repeat(31) }],
    ['a key with a line after it', { ...record, cacheKey: `${'ab'.repeat(32)}\n` }],
    ['a file that was not read', { ...record, inputs: [file, other] }],
    ['a file of the system', { ...record, inputs: ['/etc/passwd'] }],
    ['a relative path', { ...record, facts: { ...facts, places: [['main.js', 'file']] } }],
    ['a path with a zero', { ...record, facts: { ...facts, places: [[`${file}\0`, 'absent']] } }],
    [
      'one file often',
      { ...record, facts: { ...facts, contents: [...facts.contents, ...facts.contents] } },
    ],
    [
      'facts without end',
      {
        ...record,
        facts: {
          ...facts,
          places: Array.from({ length: 200_001 }, (_, n) => [`/x${n}`, 'absent']),
        },
      },
    ],
    ['another content', { ...record, facts: { ...facts, contents: [[file, digest('')]] } }],
    [
      'a device as content',
      { ...record, facts: { ...facts, contents: [...facts.contents, ['/dev/zero', digest('')]] } },
    ],
    [
      'a place that is another thing',
      { ...record, facts: { ...facts, places: [[file, 'directory']] } },
    ],
    ['a link that is none', { ...record, facts: { ...facts, places: [[file, `link ${other}`]] } }],
  ]
  for (const [what, stored] of forged)
    expect([what, await currentOf(stored)]).toEqual([what, undefined])
})
