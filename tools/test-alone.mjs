// Tests each package by itself, or those named: in a copy of the repository where only that package and what it
// depends on are installed and built. A package that uses something it does not declare fails here, and so does one
// without tests. The last line is the sum of all packages: `N passed, N failed`.
//
//   node tools/test-alone.mjs [package …]

import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPnpm } from './pnpm.mjs'
import { publishablePackages } from './publishable.mjs'

const root = join(import.meta.dirname, '..')
const [program, ...programArgs] = findPnpm()
const names = process.argv.slice(2).map((name) => `@nexus/${name.replace(/^@nexus\//, '')}`)
const copy = mkdtempSync(join(tmpdir(), 'nexus-alone-'))
process.on('exit', () => rmSync(copy, { recursive: true, force: true }))

const totals = { passed: 0, failed: 0 }
for (const { manifest } of await publishablePackages(root)) {
  const { name } = manifest
  if (names.length > 0 && !names.includes(name)) continue
  const problem = await testAlone(name)
  console.log(problem ? `FAIL ${name}: ${problem}` : `ok   ${name}`)
}
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed > 0 ? 1 : 0

/** Adds to the totals, and returns what went wrong. */
async function testAlone(name) {
  copyRepository()
  const steps = [
    ['install', ['--filter', `${name}...`, 'install', '--frozen-lockfile', '--prefer-offline']],
    // The declarations are most of the time of a build, and no test reads them.
    ['build', ['--filter', `${name}...`, 'run', 'build', '--no-dts']],
  ]
  for (const [step, args] of steps) {
    const { code, output } = await run(args)
    if (code === 0) continue
    process.stdout.write(output)
    totals.failed++
    return `${step} failed with exit code ${code}`
  }
  const { code, output } = await run(['--filter', name, 'run', 'test'])
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed/m.exec(output)?.map(Number) ?? []
  totals.passed += passed
  totals.failed += failed
  if (code === 0 && passed > 0) return undefined
  process.stdout.write(output)
  if (failed > 0) return `${failed} tests failed`
  totals.failed++
  return passed > 0 ? `the test run failed with exit code ${code}` : 'no test ran'
}

/** What git tracks or would track, as it is in the working tree, and nothing that an earlier package left. */
function copyRepository() {
  rmSync(copy, { recursive: true, force: true })
  const listed = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root })
  for (const file of listed.stdout.toString().split('\0')) {
    if (file === '' || !existsSync(join(root, file))) continue
    cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true })
  }
}

function run(args) {
  const child = spawn(program, [...programArgs, ...args], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((settle) => {
    child.on('error', (error) => settle({ code: 1, output: `${output}${error.message}\n` }))
    child.on('close', (code) => settle({ code: code ?? 1, output }))
  })
}
