import { mkdtempSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as native from 'fs-native-extensions'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'
import { LockFile } from './lock-file.js'

vi.mock('fs-native-extensions', async (original) => {
  const real = await original<typeof native>()
  return { ...real, tryLock: vi.fn(real.tryLock) }
})

afterEach(() => void vi.restoreAllMocks())

it('never holds the lock of a file that was removed between the opening and the locking', () => {
  const path = scratchFile()
  const tryLock = vi.mocked(native.tryLock)
  const real = tryLock.getMockImplementation()!
  let opened = 0
  tryLock.mockImplementation((...args) => {
    // What `remove` of another process does, at the worst moment.
    if (++opened === 1) unlinkSync(path)
    return real(...args)
  })
  const lock = LockFile.tryAcquire(path)
  expect(lock).toBeDefined()
  expect(LockFile.tryAcquire(path)).toBeUndefined()
  lock!.release()
})

it('keeps a second one out until it is released', () => {
  const path = scratchFile()
  const first = LockFile.tryAcquire(path)!
  expect(LockFile.tryAcquire(path)).toBeUndefined()
  first.release()
  const second = LockFile.tryAcquire(path)!
  second.remove()
  LockFile.tryAcquire(path)!.release()
})

it('replaces a long note with a shorter one', () => {
  const path = scratchFile()
  const lock = LockFile.tryAcquire(path)!
  lock.writeNote('a long note')
  lock.writeNote('short')
  expect(LockFile.readNote(path)).toBe('short')
  lock.release()
  expect(LockFile.readNote(`${path}.none`)).toBe('')
})

function scratchFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-lock-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'file.lock')
}
