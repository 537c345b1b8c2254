// First step of `pnpm release`: writes `repository`, `homepage` and `bugs` into the manifest of each package.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publishablePackages } from './publishable.mjs'
import { repositoryFields } from './repository.mjs'

const root = join(import.meta.dirname, '..')
const rootManifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

for (const { folder, file, manifest } of await publishablePackages(root)) {
  const stamped = { ...manifest, ...repositoryFields(rootManifest, folder) }
  await writeFile(file, `${JSON.stringify(stamped, null, 2)}\n`)
}
