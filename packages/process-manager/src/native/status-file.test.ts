import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ServiceStatus } from '../service/service.js'
import { nativePaths } from './paths.js'
import { readFreshStatus, type StatusFile } from './status-file.js'

const WRITTEN_AT = 1_000_000_000_000
const NO_PROCESS = 2 ** 22 + 1

function written(file: Partial<StatusFile>, runs = true) {
  const root = mkdtempSync(join(tmpdir(), 'nexus-status-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const paths = {
    ...nativePaths(root),
    root,
    status: join(root, 'status.json'),
    statusWanted: join(root, 'status.wanted'),
  }
  const service: ServiceStatus = {
    name: 'web',
    script: '/web.mjs',
    port: null,
    state: runs ? 'online' : 'stopped',
    instances: [
      {
        index: 0,
        pid: runs ? 4711 : null,
        state: runs ? 'online' : 'stopped',
        startedAt: null,
        restarts: 0,
        cpuPercent: 0,
        memoryBytes: 0,
        exit: null,
        reason: null,
      },
    ],
  }
  const complete: StatusFile = {
    version: 1,
    daemon: { pid: process.pid, identity: null, startedAt: 0 },
    writtenAt: WRITTEN_AT,
    services: [service],
    warnings: [],
    ...file,
  }
  writeFileSync(paths.status, JSON.stringify(complete))
  return paths
}

const askedForMore = (paths: { statusWanted: string }) =>
  statSync(paths.statusWanted, { throwIfNoEntry: false })?.mtimeMs

describe('The status file', () => {
  it('holds while the daemon lives and writes as it promises', () => {
    const paths = written({})
    expect(readFreshStatus(paths, WRITTEN_AT + 1_000)?.services).toHaveLength(1)
    expect(askedForMore(paths)).toBeUndefined()
  })

  it.skipIf(process.platform === 'win32')('does not hold where others can write', () => {
    for (const mode of [0o755, 0o710, 0o702]) {
      const paths = written({})
      chmodSync(paths.root, mode)
      expect(readFreshStatus(paths, WRITTEN_AT)).toBeNull()
      chmodSync(paths.root, 0o700)
      expect(readFreshStatus(paths, WRITTEN_AT)).not.toBeNull()
    }
  })

  it('asks for fresher figures when these are old', () => {
    const paths = written({})
    expect(readFreshStatus(paths, WRITTEN_AT + 4_000)).not.toBeNull()
    expect(askedForMore(paths)).toBeDefined()
    // Asking again renews the wish.
    readFreshStatus(paths, WRITTEN_AT + 5_000)
    expect(askedForMore(paths)).toBe(WRITTEN_AT + 5_000)
  })

  it('does not hold when the daemon is late by far, though something runs', () => {
    expect(readFreshStatus(written({}), WRITTEN_AT + 10_000)).not.toBeNull()
    expect(readFreshStatus(written({}), WRITTEN_AT + 10_001)).toBeNull()
  })

  it('holds for as long as the daemon lives when nothing runs', () => {
    expect(readFreshStatus(written({}, false), WRITTEN_AT + 1e9)).not.toBeNull()
  })

  it('does not hold when the daemon is dead, or the file is none of ours', () => {
    const dead = written({ daemon: { pid: NO_PROCESS, identity: null, startedAt: 0 } })
    expect(readFreshStatus(dead, WRITTEN_AT)).toBeNull()
    const other = written({ version: 2 as never })
    expect(readFreshStatus(other, WRITTEN_AT)).toBeNull()
    writeFileSync(other.status, '{"version":1,"daem')
    expect(readFreshStatus(other, WRITTEN_AT)).toBeNull()
  })

  it.each<[string, unknown]>([
    ['no daemon', { daemon: null }],
    [
      'a daemon that is a group of processes',
      { daemon: { pid: -1, identity: null, startedAt: 0 } },
    ],
    ['services that are none', { services: [null] }],
    ['a name that leads elsewhere', { services: [{ name: '../x', instances: [] }] }],
    [
      'instances that are none',
      { services: [{ name: 'a', script: '/a', port: null, state: 'online', instances: [1] }] },
    ],
    ['warnings that are none', { warnings: [{}] }],
    ['no time', { writtenAt: 'now' }],
  ])('does not hold with %s', (_what, wrong) => {
    expect(readFreshStatus(written(wrong as Partial<StatusFile>), WRITTEN_AT)).toBeNull()
  })
})
