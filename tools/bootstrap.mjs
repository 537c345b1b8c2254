// What `npm start` and `npm test` run. It needs Node and npm and nothing else: it brings the pnpm that
// package.json names, installs what the lockfile says, builds what changed, and then becomes the runtime
// (or the test run). A step whose inputs have not changed is skipped, so a second start takes seconds.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findPnpm } from './pnpm.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const manifest = readJson('package.json')
const stampFile = join(root, 'node_modules', '.nexus-install')
const onWindows = process.platform === 'win32'

const [command, ...args] = process.argv.slice(2)

checkNode()
if (command === 'start') await start()
else if (command === 'test') await test()
else if (command === 'install') await prepare()
else fail(`unknown command "${command}": expected start, test or install`)

async function start() {
  await prepare(['--filter=@nexus/cli...'])
  // In this very process: one less to start, and signals reach the runtime without a relay.
  const bin = join(root, 'apps/cli/bin/nexus.cjs')
  const config = join(root, 'examples/orders/nexus.yaml')
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: npm sets it to where it was called; no turbo task reads it
  process.chdir(process.env.INIT_CWD ?? root)
  process.argv = [process.argv[0], bin, 'start', '--config', config, ...args]
  createRequire(import.meta.url)(bin)
}

async function test() {
  await prepare([])
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  process.exitCode = await run(process.execPath, [vitest, 'run', ...args], { stdio: 'inherit' })
}

/** Installs, then builds what `filters` select, all packages if they are empty; without `filters` nothing. */
async function prepare(filters) {
  const pnpm = findPnpm()
  const stamp = installStamp()
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    say('Installing dependencies (the first time takes about a minute) …')
    await quietly(pnpm, ['install', '--frozen-lockfile'], 'pnpm install')
    writeFileSync(stampFile, stamp)
  }
  if (!filters) return
  // Nothing that runs reads the type declarations, and they are most of the time of a build.
  const turbo = ['exec', 'turbo', 'run', 'build', '--output-logs=errors-only', ...filters]
  await quietly(pnpm, [...turbo, '--', '--no-dts'], 'the build')
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Nexus needs Node ${manifest.engines.node}; this is Node ${process.versions.node}.`)
}

/** Changes whenever an install could come out differently. */
function installStamp() {
  const hash = createHash('sha256').update(
    `${process.platform} ${process.arch} ${process.versions.modules}`,
  )
  for (const file of [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    '.npmrc',
    'package.json',
    ...workspaceManifests(),
  ]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function workspaceManifests() {
  return ['apps', 'packages', 'examples', 'bench'].flatMap((folder) => {
    const folders = readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name))
    return [folder, ...folders]
      .map((directory) => join(directory, 'package.json'))
      .filter((file) => existsSync(join(root, file)))
      .sort()
  })
}

/** Runs a step without its output, unless it fails: then that output, or one line when the network was the cause. */
async function quietly([program, ...prefix], rest, what) {
  let output = ''
  const code = await run(program, [...prefix, ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      TURBO_TELEMETRY_DISABLED: '1',
      // What was fetched once need not be asked for again: a second start works without a network.
      npm_config_prefer_offline: 'true',
      // Without a network fail within seconds, not after npm's minute of retries.
      npm_config_fetch_retry_mintimeout: '1000',
      npm_config_fetch_retry_maxtimeout: '5000',
    },
    onOutput: (chunk) => {
      output += chunk
    },
  })
  if (code === 0) return
  if (
    /\b(ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/.test(output)
  ) {
    fail(
      `${what} could not reach the npm registry. The first run needs the network once; connect and run it again.`,
    )
  }
  process.stderr.write(output)
  fail(`${what} failed (exit code ${code}); its output is above.`)
}

/** Runs a child to its end, handing on the signals that stop this process. */
function run(program, programArgs, { stdio, env, onOutput }) {
  const child = spawn(program, programArgs, {
    cwd: root,
    stdio,
    // cmd.exe finds npx.cmd and pnpm.cmd; no argument here holds a space.
    shell: onWindows && program !== process.execPath,
    env: { ...process.env, ...env },
  })
  child.stdout?.setEncoding('utf8').on('data', onOutput)
  child.stderr?.setEncoding('utf8').on('data', onOutput)
  const relay = (signal) => child.kill(signal)
  process.on('SIGINT', relay).on('SIGTERM', relay)
  return new Promise((settle) => {
    const end = (code) => {
      process.off('SIGINT', relay).off('SIGTERM', relay)
      settle(code)
    }
    child.on('error', (error) => {
      onOutput?.(`${error.message}\n`)
      end(1)
    })
    child.on('close', (code, signal) => {
      if (signal) process.exit(signal === 'SIGINT' ? 130 : 143)
      end(code ?? 1)
    })
  })
}

function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

function say(line) {
  process.stderr.write(`${line}\n`)
}

function fail(line) {
  say(`nexus: ${line}`)
  process.exit(1)
}
