import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
let clone: string

/** A checkout without dependencies, and a PATH with node and npm but no pnpm. */
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'nexus-bootstrap-'))
  for (const folder of ['apps', 'packages', 'examples', 'bench', 'tools', 'bin', 'node_modules']) {
    mkdirSync(join(clone, folder))
  }
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc']) {
    copyFileSync(join(root, file), join(clone, file))
  }
  for (const file of ['bootstrap.mjs', 'pnpm.mjs']) {
    copyFileSync(join(root, 'tools', file), join(clone, 'tools', file))
  }
  symlinkSync(process.execPath, join(clone, 'bin/node'))
  for (const tool of ['npm', 'npx', 'sh']) symlinkSync(onPath(tool), join(clone, 'bin', tool))
})
afterAll(() => rmSync(clone, { recursive: true }))

function onPath(tool: string): string {
  return realpathSync(spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim())
}

function bootstrap(args: string[], { nodeArgs = [] as string[], env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...nodeArgs, 'tools/bootstrap.mjs', ...args],
    {
      cwd: clone,
      encoding: 'utf8',
      env: {
        PATH: join(clone, 'bin'),
        HOME: clone,
        npm_config_cache: join(clone, 'npm-cache'),
        npm_config_fetch_retries: '0',
        ...env,
      },
    },
  )
  return { status, stdout, stderr }
}

describe('the bootstrap', () => {
  it('names the Node it needs when it gets an older one', () => {
    const old = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.18.1'}})`
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(old)}`]
    expect(bootstrap(['start'], { nodeArgs })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'nexus: Nexus needs Node >=20.19; this is Node 20.18.1.\n',
    })
  })

  it('says in one line that the first run needs the network', () => {
    const env = { npm_config_registry: 'http://127.0.0.1:9/' }
    const { status, stderr } = bootstrap(['start'], { env })
    expect(stderr).toMatch(
      /^Installing dependencies .*\nnexus: pnpm install could not reach the npm registry\. .*\n$/,
    )
    expect(status).toBe(1)
  })

  it('refuses what it does not know', () => {
    expect(bootstrap(['deploy'])).toMatchObject({
      status: 1,
      stderr: 'nexus: unknown command "deploy": expected start, test or install\n',
    })
  })
})
