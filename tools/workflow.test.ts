import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { publishablePackages } from './publishable.mjs'

const root = join(import.meta.dirname, '..')

it('tests every package alone in the workflow', async () => {
  const workflow = readFileSync(join(root, '.github/workflows/ci.yml'), 'utf8')
  const named = [...workflow.matchAll(/^ {10}- ([a-z-]+)$/gm)].map(([, name]) => name)
  const packages = await publishablePackages(root)
  expect(named).toEqual(packages.map(({ folder }) => basename(folder)).sort())
})
