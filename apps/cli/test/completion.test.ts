import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { nexus } from './nexus.js'

const bin = join(import.meta.dirname, '../bin/nexus.cjs')

/** What bash offers where the last of `words` is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-completion-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, 'nexus'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
  await chmod(join(directory, 'nexus'), 0o755)
  const script = `source <(nexus completion bash)
COMP_WORDS=(nexus "$@"); COMP_CWORD=$#; _nexus
printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` }
  const run = promisify(execFile)
  const { stdout } = await run('bash', ['-c', script, 'bash', ...words], { env })
  return stdout.split('\n').filter((line) => line !== '')
}

it('bash completes commands, options and their values', async () => {
  expect(await offered('opt')).toEqual(['optimizations'])
  expect(await offered('service', 're')).toEqual(['restart', 'reload', 'resurrect'])
  expect(await offered('events', '--l')).toEqual(['--limit'])
  expect(await offered('service', 'list', '--engine', 'p')).toEqual(['pm2'])
  expect(await offered('replay', '')).toEqual([])
})

it('each shell has a script, and another is wrong usage', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await nexus(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toContain('nexus')
  }
  expect(await nexus(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' })
})
