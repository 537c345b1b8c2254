import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * The command that runs the pnpm of the `packageManager` field: the one on PATH, or the one that npx brings.
 *
 * @returns {string[]} the program and its first arguments
 */
export function findPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = packageManager.slice('pnpm@'.length)
  // From a directory without a packageManager field, or any pnpm would pretend to be the wanted one.
  const found = spawnSync('pnpm', ['--version'], {
    cwd: resolve('/'),
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (found.stdout?.trim() === wanted) return ['pnpm']
  return ['npx', '--yes', `pnpm@${wanted}`]
}
