// `pnpm coverage [package]`: runs the tests of every package, or of one, and says which lines they reach.
// The table goes to the terminal, the pages with every line to coverage/.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const names = process.argv.slice(2)
const folders = names.map(folderOf)

const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--coverage',
    '--coverage.reporter=text',
    '--coverage.reporter=html',
    ...(folders.length > 0 ? folders : ['{packages,apps}/*']).map(
      (folder) => `--coverage.include=${folder}/src/**/*.ts`,
    ),
    '--coverage.exclude=**/*.test.ts',
    ...folders.flatMap((folder) => ['--project', manifest(folder).name]),
  ],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1

/** The folder of a package that is named as `metrics` or as `@nexus/metrics`. */
function folderOf(name) {
  const short = name.replace(/^@nexus\//, '')
  const folder = ['packages', 'apps']
    .map((parent) => `${parent}/${short}`)
    .find((candidate) => existsSync(join(root, candidate, 'package.json')))
  if (folder) return folder
  console.error(`coverage: expected the name of a package, such as metrics; got ${name}`)
  process.exit(1)
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}
