// Tests each package by itself, or those named: in a copy of the repository where only that package and what it
// depends on are installed and built. A package that uses something it does not declare fails here.
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

let failed = 0
for (const { manifest } of await publishablePackages(root)) {
  const { name } = manifest
  if (names.length > 0 && !names.includes(name)) continue
  const problem = await testAlone(name)
  console.log(problem ? `FAIL ${name}: ${problem}` : `ok   ${name}`)
  if (problem) failed++
}
process.exitCode = failed > 0 ? 1 : 0

async function testAlone(name) {
  copyRepository()
  const steps = [
    ['install', ['--filter', `${name}...`, 'install', '--frozen-lockfile', '--prefer-offline']],
    // The declarations are most of the time of a build, and no test reads them.
    ['build', ['--filter', `${name}...`, 'run', 'build', '--no-dts']],
    ['test', ['--filter', name, 'run', 'test']],
  ]
  for (const [step, args] of steps) {
    const { code, output } = await run(args)
    if (code !== 0) {
      process.stdout.write(output)
      return `${step} failed with exit code ${code}`
    }
    if (step === 'test' && !/^[1-9]\d* passed, 0 failed/m.test(output)) return 'no test ran'
  }
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
