import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './load-config.js'

let directory: string
const token = 'a-token-of-some-length'

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nexus-config-'))
  await writeFile(join(directory, 'total.ts'), 'export default () => 1\n')
})
afterEach(() => rm(directory, { recursive: true }))

async function write(text: string): Promise<string> {
  const file = join(directory, 'nexus.yaml')
  await writeFile(file, text)
  return file
}

const one = (more = '') =>
  `functions:\n  - name: total\n    source: ./total.ts\n    events: [a.b]\n${more}`

describe('loading a configuration', () => {
  it('resolves paths against the file', async () => {
    const config = await loadConfig(await write(one()), {}, {})
    expect(config.dataDir).toBe(join(directory, '.nexus'))
    expect(config.cacheDir).toBe(join(directory, '.nexus-cache'))
    expect(config.functions[0]?.file).toBe(join(directory, 'total.ts'))
  })

  it('prefers flags to the environment, and the environment to the file', async () => {
    const file = await write(`server: { port: 1000 }\nhandlerTimeoutMs: 10\n${one()}`)
    expect((await loadConfig(file, {}, {})).port).toBe(1000)
    const env = {
      NEXUS_PORT: '2000',
      CACHE_DIR: '/tmp/elsewhere',
      HANDLER_TIMEOUT_MS: '77',
      MAX_CACHE_SIZE_BYTES: '4096',
      NEXUS_DATA_DIR: '/tmp/data',
    }
    const config = await loadConfig(file, {}, env)
    expect(config).toMatchObject({
      port: 2000,
      cacheDir: '/tmp/elsewhere',
      dataDir: '/tmp/data',
      maxCacheSizeBytes: 4096,
    })
    expect(config.functions[0]?.timeoutMs).toBe(77)
    expect((await loadConfig(file, { port: 3000 }, env)).port).toBe(3000)
  })

  it('leaves a function the timeout it names', async () => {
    const file = await write(one('    timeoutMs: 123\n'))
    const config = await loadConfig(file, {}, { HANDLER_TIMEOUT_MS: '77' })
    expect(config.functions[0]?.timeoutMs).toBe(123)
  })

  it('refuses an environment variable that is not what it should be, without repeating it', async () => {
    const file = await write(one())
    await expect(loadConfig(file, {}, { NEXUS_PORT: 'eighty' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'environment variable NEXUS_PORT: expected a whole number',
    })
    await expect(loadConfig(file, {}, { NEXUS_TOKEN: 'short' })).rejects.toMatchObject({
      message: 'environment variable NEXUS_TOKEN: expected at least 16 characters',
    })
  })

  it('tells all mistakes of the file and of the environment together, and repeats no secret', async () => {
    const file = await write(
      `webhooks: { gh: { scheme: github, secrets: [GH_SECRET], type: com.gh } }\n${one()}`,
    )
    const env = {
      NEXUS_DATA_KEY: 'not-a-key-of-32-bytes',
      NEXUS_PORT: 'eighty',
      NEXUS_HOST: '0.0.0.0',
    }
    const error = (await loadConfig(file, {}, env).catch((thrown) => thrown)) as Error
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    for (const part of [
      'environment variable NEXUS_DATA_KEY: expected 32 bytes',
      'environment variable NEXUS_PORT: expected a whole number',
      'host 0.0.0.0 can be reached from other machines',
      'webhooks.gh: environment variable GH_SECRET holds no secret',
    ]) {
      expect(error.message).toContain(part)
    }
    expect(error.message).not.toContain('not-a-key')
    const broken = await write(`server: { port: x }\n${one()}`)
    const both = (await loadConfig(broken, {}, env).catch((thrown) => thrown)) as Error
    expect(both.message).toMatch(/nexus\.yaml:1:\d+: /)
    expect(both.message).toContain('environment variable NEXUS_DATA_KEY')
  })

  it('says which file is missing', async () => {
    await expect(loadConfig(join(directory, 'none.yaml'))).rejects.toMatchObject({
      code: 'CONFIG_NOT_FOUND',
      message: expect.stringContaining('none.yaml: there is no such file'),
    })
  })

  it('points at a source that is missing, a directory, or of another kind', async () => {
    const source = (path: string) => write(one().replace('./total.ts', path))
    await expect(loadConfig(await source('./totl.ts'), {}, {})).rejects.toThrow(
      /nexus\.yaml:3:13: source file not found: .*totl\.ts/,
    )
    await expect(loadConfig(await source('./a.wasm'), {}, {})).rejects.toThrow(
      /source file not found: .*a\.wasm/,
    )
    await expect(loadConfig(await source('./a.py'), {}, {})).rejects.toThrow(
      'expected a .js, .ts or .wasm file',
    )
  })

  it('takes a WASI command with arguments and files, relative to the file', async () => {
    await writeFile(join(directory, 'a.wasm'), '')
    const wasm = one('    args: [--fast]\n    files: { /rates.json: ./rates.json }\n')
    const file = await write(wasm.replace('./total.ts', './a.wasm'))
    await expect(loadConfig(file, {}, {})).rejects.toThrow(
      /nexus\.yaml:6:12: file not found: .*rates\.json/,
    )
    await writeFile(join(directory, 'rates.json'), '{}')
    expect((await loadConfig(file, {}, {})).functions[0]).toMatchObject({
      file: join(directory, 'a.wasm'),
      args: ['--fast'],
      files: { '/rates.json': join(directory, 'rates.json') },
    })
    await write(wasm)
    await expect(loadConfig(file, {}, {})).rejects.toThrow(
      /:5:11: args: only a \.wasm function takes arguments.*\n(.|\n)*:6:12: files: only a \.wasm/,
    )
  })

  it('refuses two functions of one name', async () => {
    const file = await write(one(one().split('\n').slice(1).join('\n')))
    await expect(loadConfig(file, {}, {})).rejects.toThrow(
      'nexus.yaml:5:11: a function named "total" exists already',
    )
  })

  it('listens on other addresses than loopback only with a token', async () => {
    const file = await write(one())
    for (const host of ['0.0.0.0', '::', '192.168.0.7', 'example.com', '127.0.0.1.example.com']) {
      await expect(loadConfig(file, { host }, {})).rejects.toMatchObject({ code: 'TOKEN_REQUIRED' })
      await expect(loadConfig(file, { host }, { NEXUS_TOKEN: token })).resolves.toMatchObject({
        host,
      })
    }
    for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '::1']) {
      await expect(loadConfig(file, { host }, {})).resolves.toMatchObject({ host })
    }
  })

  it('needs the secrets of signed webhooks', async () => {
    const webhook = '{ scheme: github, secrets: [HOOK_OLD, HOOK_NEW], type: com.github }'
    const file = await write(`webhooks: { hub: ${webhook} }\n${one()}`)
    const old = { HOOK_OLD: 'old-secret' }
    for (const env of [{}, old, { ...old, HOOK_NEW: '' }]) {
      await expect(loadConfig(file, {}, env)).rejects.toMatchObject({ code: 'SECRET_REQUIRED' })
    }
    const { webhooks } = await loadConfig(file, {}, { ...old, HOOK_NEW: 'new-secret' })
    expect(webhooks).toMatchObject({
      hub: { scheme: 'github', secrets: ['old-secret', 'new-secret'], type: 'com.github' },
    })
  })

  it('takes the secret of the compile cache from the environment, and from nowhere else', async () => {
    const secret = 'sixteen-letters!'
    const file = await write(one())
    expect((await loadConfig(file, {}, {})).cacheSecret).toBeUndefined()
    expect((await loadConfig(file, {}, { NEXUS_CACHE_SECRET: secret })).cacheSecret).toBe(secret)
    const short = loadConfig(file, {}, { NEXUS_CACHE_SECRET: secret.slice(1) })
    await expect(short).rejects.toThrow(
      'environment variable NEXUS_CACHE_SECRET: expected at least 16 characters',
    )
    await write(`cacheSecretEnv: SEAL\n${one()}`)
    await expect(loadConfig(file, {}, { NEXUS_CACHE_SECRET: secret })).rejects.toMatchObject({
      code: 'SECRET_REQUIRED',
    })
    expect((await loadConfig(file, {}, { SEAL: secret })).cacheSecret).toBe(secret)
  })

  it('gives a function the variables it names, and warns of those that are not set', async () => {
    const file = await write(one('    env: [API_KEY, ABSENT]\n'))
    const config = await loadConfig(file, {}, { API_KEY: 'k', OTHER: 'o' })
    expect(config.functions[0]?.env).toEqual({ API_KEY: 'k' })
    expect(config.functions[0]?.capabilities).toEqual(['env:API_KEY', 'env:ABSENT'])
    expect(config.warnings).toEqual(['function total: environment variable ABSENT is not set'])
  })

  it('gives a function the secrets it names, apart from its variables', async () => {
    const file = await write(
      one('    secrets: [API_KEY]\n    capabilities: ["net:api.example.com"]\n'),
    )
    const [total] = (await loadConfig(file, {}, { API_KEY: 'k', OTHER: 'o' })).functions
    expect(total?.secrets).toEqual({ API_KEY: 'k' })
    expect(total?.env).toEqual({})
    expect(total?.capabilities).toEqual(['net:api.example.com', 'secret:API_KEY'])
  })
})
