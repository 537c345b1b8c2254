import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const hostPath = fileURLToPath(new URL('../dist/service-host.cjs', import.meta.url))

/** A process that has become the service of a script, and what it said. */
async function host(source: string, stdout: 'pipe' | 'full' = 'pipe') {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-host-'))
  const script = join(directory, 'script.mjs')
  writeFileSync(script, source)
  const full = stdout === 'full' ? openSync('/dev/full', 'a') : null
  const errors = openSync(join(directory, 'errors'), 'a')
  const child: ChildProcess = fork(hostPath, [], {
    stdio: ['ignore', full ?? 'pipe', errors, 'ipc'],
    execArgv: [],
  })
  if (full !== null) closeSync(full)
  closeSync(errors)
  onTestFinished(() => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  const said: string[] = []
  child.on('message', (message) => said.push((message as { type?: string }).type ?? `${message}`))
  await once(child, 'message')
  const request = { script, args: [], cwd: directory, env: {}, title: 'test', port: null }
  child.send({ type: 'nexus:run', request: { ...request, sharesPort: false }, output: null })
  return { child, said, errors: () => readFileSync(join(directory, 'errors'), 'utf8') }
}

describe('A script that disconnects', () => {
  it('is seen to be loaded, answers health checks, and sees itself disconnected', async () => {
    const { child, said, errors } = await host(`
      process.once('disconnect', () => console.error('left', process.connected))
      process.disconnect()
      process.send('too late', (error) => console.error(error.code))
      setInterval(() => {}, 60_000)`)
    await expect.poll(() => said).toContain('nexus:loaded')
    child.send({ type: 'nexus:health' })
    await expect.poll(() => said).toContain('nexus:healthy')
    await expect.poll(errors).toContain('ERR_IPC_CHANNEL_CLOSED')
    expect(errors()).toContain('left false')
    expect(said).not.toContain('too late')
  })

  it('ends when it has nothing else to do, as it would without a parent', async () => {
    const { child } = await host(`
      process.on('message', () => {})
      setTimeout(() => process.disconnect(), 5)`)
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('A script whose daemon has gone', () => {
  it('listens, sends and goes on, whatever it does with the channel', async () => {
    const { child, said, errors } = await host(`
      import { createServer } from 'node:net'
      process.on('disconnect', () => console.error('disconnected', process.connected))
      const look = setInterval(() => {
        if (process.connected) return
        clearInterval(look)
        process.send('lost')
        process.send({ lost: true }, undefined, {})
        process.send('told', (error) => console.error('told', error.code))
        const server = createServer().listen(0, '127.0.0.1', () => {
          createServer().listen(server.address().port, '127.0.0.1').on('error', ({ code }) => {
            console.error('second', code)
            setTimeout(() => console.error('went on'), 20)
          })
        })
      }, 5)
      setInterval(() => {}, 60_000)`)
    await expect.poll(() => said).toContain('nexus:loaded')
    child.disconnect()
    await expect.poll(errors).toContain('went on')
    expect(errors()).toContain('disconnected false')
    expect(errors()).toContain('told ERR_IPC_CHANNEL_CLOSED')
    expect(errors()).toContain('second EADDRINUSE')
    expect(child.exitCode).toBe(null)
  })
})

describe('A script whose output has no room on the disk', () => {
  it('lives, however it prints, and other writes fail as they should', async () => {
    const { child, errors } = await host(
      `
      import fs, { writeSync } from 'node:fs'
      import { promisify } from 'node:util'
      console.log('one')
      process.stdout.write('two')
      console.error(writeSync(1, 'löng'), writeSync(1, Buffer.from('bytes'), 1, 3))
      fs.write(1, Buffer.from('four'), (error, bytes) => console.error('answered', error, bytes))
      console.error(await promisify(fs.write)(1, Buffer.from('five')))
      try {
        writeSync(fs.openSync('/dev/full', 'a'), 'a file of its own')
      } catch ({ code }) {
        console.error('own', code)
      }
      console.error('end')
      setInterval(() => {}, 60_000)`,
      'full',
    )
    await expect.poll(errors).toContain('end')
    expect(errors()).toContain('5 3')
    expect(errors()).toContain('answered null 4')
    expect(errors()).toContain('bytesWritten: 4')
    expect(errors()).toContain('own ENOSPC')
    expect(child.exitCode).toBe(null)
  })
})
