import { describe, expect, it, vi } from 'vitest'
import { ProcessManagerError } from './errors.js'
import { MetricsCache } from './metrics-cache/metrics-cache.js'
import type { ProcessEngine } from './process-engine.js'
import { ProcessManager } from './process-manager.js'
import type { ServiceDefinition, ServiceStatus } from './service/service.js'

const definition: ServiceDefinition = { name: 'web', script: '/srv/web.js' }
const status: ServiceStatus = {
  name: 'web',
  script: '/srv/web.js',
  port: null,
  state: 'online',
  instances: [],
}

function fakeEngine(overrides: Partial<ProcessEngine> = {}): ProcessEngine {
  return {
    kind: 'pm2',
    warnings: [],
    start: async () => status,
    stop: async () => ({ ...status, state: 'stopped' }),
    restart: async () => status,
    reload: async () => status,
    scale: async () => status,
    delete: async () => {},
    list: async () => [status],
    health: async (name) => ({ name, healthy: true, durationMs: 1, reason: null }),
    async *logs() {},
    save: async () => 1,
    resurrect: async () => [],
    close: async () => {},
    ...overrides,
  }
}

describe('A definition', () => {
  const manager = new ProcessManager({ engine: fakeEngine() })

  it.each(['web', 'Web-2.internal_a', '0', 'a'.repeat(64)])(
    'may have the name %j',
    async (name) => {
      expect(await manager.start({ ...definition, name })).toBe(status)
    },
  )

  it.each([
    '',
    'a'.repeat(65),
    '../../etc/passwd',
    'a/b',
    '-f',
    '.hidden',
    'two words',
    'naïve',
    '名前',
    'a\nb',
    'a\0b',
    '$(reboot)',
  ])('may not have the name %j', async (name) => {
    const failure = { code: 'INVALID_DEFINITION' }
    await expect(manager.start({ ...definition, name })).rejects.toMatchObject(failure)
    await expect(manager.stop(name)).rejects.toMatchObject(failure)
    await expect(manager.status(name)).rejects.toMatchObject(failure)
    expect(() => manager.logs(name)).toThrow(expect.objectContaining(failure))
  })

  it.each<[string, object]>([
    ['script', { script: 'relative.js' }],
    ['port', { port: 65_536 }],
    ['instances', { instances: 0 }],
    ['maxCpuPercent', { maxCpuPercent: 0 }],
    ['health', { health: { url: 'http://localhost', ipc: true } }],
    ['health', { health: { intervalMs: 1_000 } }],
    ['health.url', { health: { url: 'ftp://localhost' } }],
    ['restart.maxRestarts', { restart: { maxRestarts: -1 } }],
    ['memory', { memory: '512M' }],
  ])('is refused with the wrong path named: %s', async (path, wrong) => {
    await expect(manager.start({ ...definition, ...wrong } as never)).rejects.toMatchObject({
      code: 'INVALID_DEFINITION',
      message: expect.stringContaining(path),
    })
  })

  it('is refused without telling a value of its environment', async () => {
    const env = { TOKEN: 'sword\0fish' }
    const failure = await manager.start({ ...definition, env }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ProcessManagerError)
    expect(JSON.stringify(failure) + (failure as Error).message).not.toContain('sword')
  })
})

describe('Commands', () => {
  it('are told of as events, and counted', async () => {
    const error = new ProcessManagerError('NOT_FOUND', 'no such service')
    const manager = new ProcessManager({
      engine: fakeEngine({ restart: () => Promise.reject(error) }),
    })
    const heard = { started: vi.fn(), deleted: vi.fn(), failed: vi.fn() }
    manager.on('started', heard.started)
    manager.on('deleted', heard.deleted)
    manager.on('failed', heard.failed)
    await manager.start(definition)
    await manager.delete('web')
    await expect(manager.restart('web')).rejects.toBe(error)
    expect(heard.started).toHaveBeenCalledExactlyOnceWith(status)
    expect(heard.deleted).toHaveBeenCalledExactlyOnceWith('web')
    expect(heard.failed).toHaveBeenCalledExactlyOnceWith({ command: 'restart', name: 'web', error })
    expect(manager.getStats()).toEqual({
      engine: 'pm2',
      commands: { start: 1, stop: 0, restart: 0, reload: 0, scale: 0, delete: 1 },
      failures: 1,
      pending: 0,
      cache: expect.objectContaining({ invalidations: 3 }),
    })
  })

  it('are refused after close', async () => {
    const manager = new ProcessManager({ engine: fakeEngine() })
    await manager.close()
    await expect(manager.start(definition)).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(manager.list()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('What services are and use', () => {
  const running = {
    ...status,
    instances: [{ cpuPercent: 10, memoryBytes: 5, startedAt: 0, restarts: 1 }],
  } as unknown as ServiceStatus

  it('is answered from the cache, until a command or time changes it', async () => {
    let [asked, now] = [0, 1]
    const cache = new MetricsCache({ now: () => now })
    const list = async () => {
      asked++
      return [running]
    }
    const manager = new ProcessManager({ engine: fakeEngine({ list }), cache })
    await manager.list()
    expect(await manager.status('web')).toBe(running)
    expect(asked).toBe(1)
    expect(await manager.metrics('web')).toMatchObject({ cpuPercent: 10, memoryBytes: 5 })
    expect(asked).toBe(2)
    await manager.restart('web')
    await manager.status('web')
    expect(asked).toBe(3)
    now = 502
    await manager.status('web')
    expect(asked).toBe(4)
    await manager.close()
  })

  it('is an error for an unknown service', async () => {
    const manager = new ProcessManager({ engine: fakeEngine() })
    const failure = { code: 'NOT_FOUND', details: { name: 'nobody' } }
    await expect(manager.status('nobody')).rejects.toMatchObject(failure)
    await expect(manager.metrics('nobody')).rejects.toMatchObject(failure)
    await manager.close()
  })
})

describe('Options', () => {
  it.each<[string, object]>([
    ['engine', { engine: 'pm2' }],
    ['cache', { cache: {} }],
    ['healthTimeoutMs', { healthTimeoutMs: 0 }],
    ['timeout', { timeout: 1 }],
  ])('that are wrong are named: %s', (name, options) => {
    expect(() => new ProcessManager(options as never)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message: expect.stringContaining(name),
      }),
    )
  })
})
