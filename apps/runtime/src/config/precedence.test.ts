import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ConfigOverrides, loadConfig, type RuntimeConfig } from './load-config.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nexus-precedence-'))
  await writeFile(join(directory, 'one.js'), 'export default () => 1\n')
})
afterEach(() => rm(directory, { recursive: true }))

async function load(yaml: string, env: NodeJS.ProcessEnv, flags: ConfigOverrides = {}) {
  const file = join(directory, 'nexus.yaml')
  const functions = 'functions:\n  - { name: one, source: ./one.js, events: [a] }\n'
  await writeFile(file, `${yaml}\n${functions}`)
  return loadConfig(file, flags, env)
}

interface Setting {
  variable: string
  /** What the variable says, and what that means. */
  text: string
  meant: unknown
  /** A line of nexus.yaml that says something else, and what that means. */
  yaml: string
  written: unknown
  read: (config: RuntimeConfig) => unknown
}

/** Each setting that has a variable and a place in the file. */
const SETTINGS: Setting[] = [
  {
    ...{ variable: 'NEXUS_HOST', text: '127.0.0.2', meant: '127.0.0.2' },
    ...{ yaml: 'server: { host: 127.0.0.3 }', written: '127.0.0.3', read: ({ host }) => host },
  },
  {
    ...{ variable: 'NEXUS_PORT', text: '2000', meant: 2000 },
    ...{ yaml: 'server: { port: 3000 }', written: 3000, read: ({ port }) => port },
  },
  {
    ...{ variable: 'NEXUS_BUS_URL', text: 'nats://127.0.0.1:1', meant: 'nats' },
    ...{ yaml: 'bus: local', written: 'local', read: ({ bus }) => bus.backend },
  },
  {
    ...{ variable: 'NEXUS_DATA_DIR', text: '/tmp/env', meant: '/tmp/env' },
    ...{ yaml: 'dataDir: /tmp/file', written: '/tmp/file', read: ({ dataDir }) => dataDir },
  },
  {
    ...{ variable: 'CACHE_DIR', text: '/tmp/env', meant: '/tmp/env' },
    ...{ yaml: 'cacheDir: /tmp/file', written: '/tmp/file', read: ({ cacheDir }) => cacheDir },
  },
  {
    ...{ variable: 'MAX_CACHE_SIZE_BYTES', text: '4096', meant: 4096 },
    ...{ yaml: 'maxCacheSizeBytes: 8192', written: 8192 },
    read: ({ maxCacheSizeBytes }) => maxCacheSizeBytes,
  },
  {
    ...{ variable: 'HANDLER_TIMEOUT_MS', text: '77', meant: 77 },
    ...{ yaml: 'handlerTimeoutMs: 88', written: 88 },
    read: ({ functions }) => functions[0]?.timeoutMs,
  },
  {
    ...{ variable: 'NEXUS_LOG_LEVEL', text: 'debug', meant: 'debug' },
    ...{ yaml: 'log: { level: error }', written: 'error', read: ({ log }) => log.level },
  },
  {
    ...{ variable: 'PERFORMANCE_PROFILE_INTERVAL', text: '250', meant: 250 },
    ...{ yaml: 'performance: { profileIntervalMs: 9000 }', written: 9000 },
    read: ({ performance }) => performance.profileIntervalMs,
  },
  {
    ...{ variable: 'PERFORMANCE_RETENTION', text: '3600', meant: 3_600_000 },
    ...{ yaml: 'performance: { metricsRetentionMs: 9000 }', written: 9000 },
    read: ({ performance }) => performance.metricsRetentionMs,
  },
  ...(['enableProfiling', 'enableOptimizations', 'enableMetrics'] as const).map(
    (name): Setting => ({
      ...{ variable: 'PERFORMANCE_ENABLED', text: 'false', meant: false },
      ...{ yaml: `performance: { ${name}: true }`, written: true },
      read: ({ performance }) => performance[name],
    }),
  ),
]

it.each(SETTINGS)(
  '$variable wins over "$yaml", which wins over the default',
  async ({ variable, text, meant, yaml, written, read }) => {
    expect(read(await load(yaml, { [variable]: text }))).toEqual(meant)
    expect(read(await load(yaml, {}))).toEqual(written)
    expect(read(await load(yaml, { [variable]: '' }))).toEqual(written)
    expect(read(await load('', { [variable]: text }))).toEqual(meant)
  },
)

it('a flag wins over the variable and the file', async () => {
  const env = { NEXUS_HOST: '127.0.0.2', NEXUS_PORT: '2000' }
  const yaml = 'server: { host: 127.0.0.3, port: 3000 }'
  expect(await load(yaml, env, { host: '127.0.0.4', port: 4000 })).toMatchObject({
    host: '127.0.0.4',
    port: 4000,
  })
  expect((await load(yaml, env, { port: 0 })).port).toBe(0)
})

it.each([
  [{}, '', false],
  [{}, 'performance: {}', true],
  [{ PERFORMANCE_ENABLED: 'true' }, '', true],
  [{ PERFORMANCE_ENABLED: 'false' }, '', false],
  [{ PERFORMANCE_PROFILE_INTERVAL: '5000' }, '', true],
  [{ PERFORMANCE_RETENTION: '3600' }, '', false],
])(
  'with %j and "%s" the server looks at itself from its start: %s',
  async (env, yaml, fromStart) => {
    expect((await load(yaml, env)).performance.fromStart).toBe(fromStart)
  },
)
