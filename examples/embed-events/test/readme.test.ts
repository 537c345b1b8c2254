import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const directory = new URL('..', import.meta.url)

it('prints what its README shows', async () => {
  const readme = await readFile(new URL('README.md', directory), 'utf8')
  const shown = /\n\n```\n([\s\S]*?)```/.exec(readme)?.[1]
  const { stdout } = await promisify(execFile)(process.execPath, ['main.mjs'], { cwd: directory })
  expect(stdout).toBe(shown)
})
