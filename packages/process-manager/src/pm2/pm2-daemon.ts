import { spawn } from 'node:child_process'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { ProcessManagerError } from '../errors.js'

/** Where the daemon of a PM2 home answers calls. PM2 has one name for all homes on Windows. */
export function callSocketOf(home: string): string {
  return process.platform === 'win32' ? '\\\\.\\pipe\\rpc.sock' : join(home, 'rpc.sock')
}

/**
 * Has PM2 start the daemon of a home. PM2 starts several when asked several times at once: hold a lock.
 *
 * @throws ProcessManagerError `PM2_UNAVAILABLE` where the optional peer is not installed, `START_TIMEOUT`, `START_FAILED`
 */
export async function startPm2Daemon(home: string, timeoutMs: number): Promise<void> {
  const { code, output } = await run(pm2Command(home), ['ping'], home, timeoutMs)
  if (code === 0) return
  throw new ProcessManagerError(
    'START_FAILED',
    `PM2 in ${home}: expected its daemon to start, but pm2 ended with ${code}: ${output.trim() || 'no output'}`,
    { details: { home, code, output } },
  )
}

function pm2Command(home: string): string {
  const require = module.createRequire(import.meta.url)
  try {
    const manifest = require.resolve('pm2/package.json')
    const { bin } = require(manifest) as { bin: { pm2: string } }
    return join(dirname(manifest), bin.pm2)
  } catch (cause) {
    throw new ProcessManagerError(
      'PM2_UNAVAILABLE',
      `PM2 in ${home}: no daemon runs there, and pm2, which could start one, is not installed beside @nexus/process-manager; run "npm install pm2", or start the daemon yourself with "pm2 ping"`,
      { details: { home }, cause },
    )
  }
}

function run(
  script: string,
  args: readonly string[],
  home: string,
  timeoutMs: number,
): Promise<{ code: number | string; output: string }> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    env: {
      ...process.env,
      PM2_HOME: home,
      // Without banner and without asking PM2's server for news.
      PM2_PROGRAMMATIC: 'true',
      PM2_DISABLE_VERSION_CHECK: 'true',
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-4000)
    })
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(
        new ProcessManagerError(
          'START_TIMEOUT',
          `PM2 in ${home}: expected its daemon to start within ${timeoutMs} ms, got nothing; see pm2.log there`,
          { details: { home, timeoutMs } },
        ),
      )
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    // Not `close`: the daemon may keep the ends of the pipes.
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ code: code ?? signal ?? 'nothing', output })
    })
  })
}
