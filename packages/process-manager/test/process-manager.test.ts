import { ProcessManager } from '@nexus/process-manager'
import { freePort, RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { fixture, getJson, sandbox } from './support/sandbox.js'

it('A process manager runs a service from its start to its deletion', async () => {
  const { engine, newEngine } = sandbox()
  const logger = new RecordingLogger()
  const manager = new ProcessManager({ engine: newEngine(), logger })
  const heard: string[] = []
  for (const event of ['started', 'restarted', 'stopped'] as const) {
    manager.on(event, ({ name, state }) => heard.push(`${event} ${name}, ${state}`))
  }
  manager.on('deleted', (name) => heard.push(`deleted ${name}`))

  const port = await freePort()
  await manager.start({ name: 'web', script: fixture('http.mjs'), port })
  expect(await manager.status('web')).toMatchObject({ state: 'online', port })
  expect(await manager.metrics('web')).toMatchObject({ name: 'web', restarts: 0 })
  expect(await manager.health('web', 20_000)).toMatchObject({ healthy: true })
  const { pid } = await getJson(port)
  await manager.restart('web')
  expect((await manager.status('web')).instances[0]?.pid).not.toBe(pid)
  await manager.stop('web')
  expect(await manager.status('web')).toMatchObject({ state: 'stopped' })
  await manager.delete('web')
  expect(await manager.list()).toEqual([])
  expect(heard).toEqual([
    'started web, online',
    'restarted web, online',
    'stopped web, stopped',
    'deleted web',
  ])
  await expect(manager.stop('web')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(logger.entries.map(({ level, fields }) => [level, fields.command])).toEqual([
    ['info', 'start'],
    ['info', 'restart'],
    ['info', 'stop'],
    ['info', 'delete'],
    ['error', 'stop'],
  ])

  await manager.close()
  await expect(manager.list()).rejects.toMatchObject({ code: 'CLOSED' })
  expect(await engine.daemonStats()).toMatchObject({ services: 0 })
})
