// Part of `pnpm lint`: checks that packages import each other only along the arrows of ARCHITECTURE.md.

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { wrongImports } from './import-rules.mjs'

const root = join(import.meta.dirname, '..')
const problems = []
for (const parent of ['packages', 'apps']) {
  for (const name of await readdir(join(root, parent))) {
    const folder = join(root, parent, name)
    const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
    if (!manifest) continue
    problems.push(
      ...wrongImports({
        name,
        manifest: JSON.parse(manifest),
        sources: await sourcesOf(join(folder, 'src')),
      }),
    )
  }
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

async function sourcesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return Promise.all(
    entries
      .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
      .filter((entry) => !/\.test\.tsx?$/.test(entry.name))
      .map(async (entry) => {
        const file = join(entry.parentPath, entry.name)
        return { file: relative(root, file), text: await readFile(file, 'utf8') }
      }),
  )
}
