import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limitByCgroup } from './cgroup.js'

const own = (() => {
  try {
    return /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  } catch {
    return undefined
  }
})()

/** Plain files in the place of the kernel's: what is written where can be seen, though nothing is limited. */
function hierarchy(controllers: string) {
  const root = mkdtempSync(join(tmpdir(), 'nexus-cgroup-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const group = join(root, own ?? '/')
  mkdirSync(group, { recursive: true })
  for (const folder of new Set([group, own === '/' ? root : dirname(group)])) {
    writeFileSync(join(folder, 'cgroup.subtree_control'), controllers)
  }
  return { root, group }
}

describe.skipIf(own === undefined)('A cgroup', () => {
  it('gets the quota and the process', () => {
    const { root, group } = hierarchy('cpu memory')
    expect(limitByCgroup(4_711, 50, root)).toMatchObject({ by: 'cgroup' })
    const made = join(group, 'nexus-4711')
    expect(readFileSync(join(made, 'cpu.max'), 'utf8')).toBe('50000 100000')
    expect(readFileSync(join(made, 'cgroup.procs'), 'utf8')).toBe('4711')
  })

  it('has no quota once it is lifted', () => {
    const { root, group } = hierarchy('cpu')
    limitByCgroup(4_711, 150, root)?.lift()
    const quota = join(group, 'nexus-4711', 'cpu.max')
    expect(readFileSync(quota, 'utf8')).toBe('max 100000')
  })

  it('is not used where there is no hierarchy to write to', () => {
    expect(limitByCgroup(4_711, 50, '/nonexistent')).toBeNull()
    expect(existsSync('/nonexistent')).toBe(false)
  })
})
