// Packs every package as the registry would get it, and checks the tarballs: what is in them, what their
// manifests promise (publint), and whether their types resolve (are-the-types-wrong).

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { findPnpm } from './pnpm.mjs'
import { publishablePackages } from './publishable.mjs'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const [pnpm, ...pnpmArgs] = findPnpm()
const scratch = await mkdtemp(join(tmpdir(), 'nexus-packages-'))

try {
  let wrong = 0
  for (const { folder, manifest } of await publishablePackages(root)) {
    const problems = await check(folder)
    wrong += problems.length
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${manifest.name}`)
    for (const problem of problems) console.log(`       ${problem}`)
  }
  process.exitCode = wrong > 0 ? 1 : 0
} finally {
  await rm(scratch, { recursive: true, force: true })
}

async function check(folder) {
  const { stdout } = await run(
    pnpm,
    [...pnpmArgs, 'pack', '--json', '--pack-destination', scratch],
    { cwd: join(root, folder) },
  )
  const tarball = JSON.parse(stdout).filename
  const files = (await run('tar', ['-tzf', tarball])).stdout
    .split('\n')
    .filter((file) => file !== '')
    .map((file) => file.replace(/^package\//, ''))
  const manifest = JSON.parse((await run('tar', ['-xzOf', tarball, 'package/package.json'])).stdout)
  return [
    ...wrongFiles(files),
    ...wrongManifest(manifest),
    ...(await publintProblems(tarball)),
    // A package that only brings a command has no types to resolve.
    ...(manifest.exports?.['.'] ? await attwProblems(tarball) : []),
  ]
}

function wrongFiles(files) {
  const missing = ['README.md', 'LICENSE', 'package.json'].filter((file) => !files.includes(file))
  const surplus = files.filter(
    (file) =>
      /(^|\/)(src|test|bench|node_modules)\//.test(file) ||
      /\.test\.|\.bench\.|(^|\/)ts(up\.)?config\./.test(file) ||
      (file.endsWith('.ts') && !file.endsWith('.d.ts')),
  )
  const built = files.some((file) => file.startsWith('dist/'))
  return [
    ...missing.map((file) => `${file} is missing from the tarball`),
    ...surplus.map((file) => `${file} does not belong in the tarball`),
    ...(built ? [] : ['dist/ is empty: build first']),
  ]
}

function wrongManifest(manifest) {
  const problems = []
  const text = JSON.stringify(manifest)
  if (text.includes('@nexus/source')) problems.push('exports hold the condition "@nexus/source"')
  for (const protocol of ['workspace:', 'catalog:', 'link:', 'file:']) {
    if (text.includes(`"${protocol}`)) problems.push(`a dependency still says ${protocol}`)
  }
  for (const field of ['description', 'license', 'engines', 'files', 'keywords']) {
    if (!manifest[field]) problems.push(`the manifest has no ${field}`)
  }
  return problems
}

async function publintProblems(tarball) {
  const data = await readFile(tarball)
  const { messages, pkg } = await publint({
    pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) },
    strict: true,
  })
  return messages
    .filter(({ type }) => type !== 'suggestion')
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`)
}

async function attwProblems(tarball) {
  try {
    const attw = join(root, 'node_modules/.bin/attw')
    await run(attw, ['--profile', 'esm-only', '--no-emoji', tarball], { cwd: root })
    return []
  } catch (error) {
    return [`attw: ${error.stdout || error.message}`]
  }
}
