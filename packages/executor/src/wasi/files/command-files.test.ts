import { expect, it } from 'vitest'
import { Errno } from '../preview1/signatures.js'
import { CommandFiles, OpenFlag, ROOT_FD } from './command-files.js'
import type { NamedFile } from './named-file.js'
import { Right } from './rights.js'
import { wasmerLibrary } from './wasmer-library.js'

const named: NamedFile[] = [{ path: '/a', bytes: Buffer.from('named') }]

function open(files: CommandFiles, path: string, flags = 0): number {
  return files.open(ROOT_FD, Buffer.from(path), flags, Right.Read | Right.Write, 0n, 0)
}

it('after a trap of the library its files are lost, and the next command gets a new library', async () => {
  await wasmerLibrary.load()
  const files = new CommandFiles()
  files.begin(named, 1000)
  open(files, 'a')
  const { generation } = wasmerLibrary

  wasmerLibrary.markBroken()
  files.end()
  expect(wasmerLibrary.current).toBeUndefined()
  await Promise.all([wasmerLibrary.load(), wasmerLibrary.load()])
  expect(wasmerLibrary.generation).toBe(generation + 1)

  files.begin(named, 1000)
  expect(files.read(open(files, 'a'), 0, 100).toString()).toBe('named')
  files.end()
})

it('what is written counts against the limit, and what was written before does not', async () => {
  await wasmerLibrary.load()
  const files = new CommandFiles()
  for (let call = 0; call < 3; call++) {
    files.begin(named, 1000)
    const fd = open(files, 'b', OpenFlag.Create)
    files.write(fd, 0, Buffer.alloc(700))
    files.write(fd, 0, Buffer.alloc(700))
    expect(() => files.write(fd, 700, Buffer.alloc(100))).toThrowError(
      expect.objectContaining({ errno: Errno.Nospc }),
    )
    files.end()
  }
})

it('no more than 1,024 descriptors are open at once', async () => {
  await wasmerLibrary.load()
  const files = new CommandFiles()
  files.begin(named, 1000)
  for (let fd = ROOT_FD + 1; fd < ROOT_FD + 1024; fd++) expect(open(files, 'a')).toBe(fd)
  expect(() => open(files, 'a')).toThrowError(expect.objectContaining({ errno: Errno.Mfile }))
  files.close(500)
  expect(open(files, 'a')).toBe(500)
  files.end()
})
