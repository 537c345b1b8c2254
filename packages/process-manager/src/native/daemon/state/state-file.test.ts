import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { withDefaults } from '../../../service/service-defaults.js'
import { readState, writeState } from './state-file.js'

const process = { pid: 4711, identity: 'boot/1', startedAt: 1, restarts: 0, output: null }
const record = {
  definition: withDefaults({ name: 'web', script: '/srv/web.mjs', health: { port: 80 } }),
  wanted: true,
  definitionLost: false,
  instances: [process, null],
  passing: [process],
}

function file(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-state-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'state.json')
}

it('reads what was written', () => {
  const path = file()
  writeState(path, [record])
  expect(readState(path)).toEqual({ services: [record], rebooted: false })
})

const wrongRecords: [string, object][] = [
  ['a name that leads elsewhere', { definition: { ...record.definition, name: '../../../x' } }],
  ['a name with a NUL', { definition: { ...record.definition, name: 'a\0' } }],
  ['a relative script', { definition: { ...record.definition, script: '../x.mjs' } }],
  ['an environment that is none', { definition: { ...record.definition, env: { 'A=B': 'x' } } }],
  ['no definition', { definition: null }],
  ['no wish', { wanted: 'yes' }],
  // Signals to these pids reach every process of the user, or of the daemon's group.
  ...[-1, 0, 1, -4711, 1.5, '4711', '1/../self'].map((pid): [string, object] => [
    `the pid ${pid}`,
    { instances: [{ ...process, pid }] },
  ]),
  ['an output that leads elsewhere', { instances: [{ ...process, output: '../x' }] }],
  ['no identity', { instances: [{ ...process, identity: '' }] }],
]

it.each(wrongRecords)('puts a file with %s aside', (_what, wrong) => {
  const path = file()
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      bootId: null,
      writtenAt: Date.now(),
      services: [{ ...record, ...wrong }],
    }),
  )
  expect(() => readState(path)).toThrow('cannot be read')
  expect(existsSync(path)).toBe(false)
  expect(existsSync(`${path}.unreadable`)).toBe(true)
})

it('puts nothing aside over what was put aside before', () => {
  const path = file()
  for (const text of ['first', 'second', 'third']) {
    writeFileSync(path, text)
    expect(() => readState(path)).toThrow('cannot be read')
  }
  const aside = ['', '.2', '.3'].map((end) => readFileSync(`${path}.unreadable${end}`, 'utf8'))
  expect(aside).toEqual(['first', 'second', 'third'])
})

it('leaves what cannot be put aside where it is, and says so', () => {
  const path = file()
  for (let n = 1; n <= 100; n++) writeFileSync(`${path}.unreadable${n === 1 ? '' : `.${n}`}`, '')
  writeFileSync(path, 'not JSON')
  expect(() => readState(path)).toThrow(
    expect.objectContaining({ code: 'STATE_UNREADABLE', details: { path, inPlace: true } }),
  )
  expect(readFileSync(path, 'utf8')).toBe('not JSON')
})

it.skipIf(userInfo().uid === 0)('puts a file aside that this user may not read', () => {
  const path = file()
  writeFileSync(path, '{}')
  chmodSync(path, 0)
  expect(() => readState(path)).toThrow('cannot be read')
  expect(existsSync(`${path}.unreadable`)).toBe(true)
})

it('puts a file with two services of one name aside', () => {
  const path = file()
  writeState(path, [record, record])
  expect(() => readState(path)).toThrow('two services of one name')
})

it.each([
  ['the boot is another one', { bootId: 'another', writtenAt: Date.now() }, true],
  ['a boot without a name was before it', { bootId: null, writtenAt: 0 }, true],
  ['a boot without a name was after it', { bootId: null, writtenAt: Date.now() }, false],
])('tells whether the machine was started since: %s', (_what, written, rebooted) => {
  const path = file()
  writeFileSync(path, JSON.stringify({ version: 1, services: [], ...written }))
  expect(readState(path).rebooted).toBe(rebooted)
})
