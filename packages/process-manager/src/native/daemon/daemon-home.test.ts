import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { nativePaths } from '../paths.js'
import { DaemonHome } from './daemon-home.js'

function home() {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-home-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return nativePaths(directory)
}

it.each([undefined, 0o777, 0o755, 0o710, 0o701, 0o700])(
  'is for its user alone, also where the directory existed with the mode %o',
  (mode) => {
    const paths = home()
    if (mode !== undefined) {
      mkdirSync(paths.root)
      chmodSync(paths.root, mode)
    }
    expect(DaemonHome.take(paths)?.isOurs).toBe(true)
    expect(statSync(paths.root).mode & 0o777).toBe(0o700)
    expect(statSync(paths.lock).mode & 0o777).toBe(0o600)
  },
)

it('has one holder at a time', () => {
  const paths = home()
  expect(DaemonHome.take(paths)).not.toBeNull()
  expect(DaemonHome.take(paths)).toBeNull()
})
