import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { fixture, isAlive, logLines, type Sandbox, sandbox, statusOf } from './support/sandbox.js'

// A service prints into files, so that no reader has to live for it.

async function killDaemon({ engine }: Sandbox) {
  const { pid } = await engine.daemonStats()
  process.kill(pid, 'SIGKILL')
  await eventually(
    () => isAlive(pid),
    (alive) => !alive,
  )
}

/** The output of its only process, as it is on the disk. */
function outputFile({ root }: Sandbox, stream: string) {
  const [name = ''] = readdirSync(join(root, 'output'))
  return join(root, 'output', name, stream)
}

function linesOf(file: string) {
  return readFileSync(file, 'latin1').split('\n').length - 1
}

async function numbered(box: Sandbox) {
  const lines = await logLines(box.newEngine(), 'counts', 100_000)
  return lines.flatMap(({ text }) => (text.startsWith('line ') ? [Number(text.slice(5))] : []))
}

/** Where something is missing or there twice. */
function outOfOrder(numbers: readonly number[]) {
  return numbers.flatMap((number, n) => (number === (numbers[n - 1] ?? -1) + 1 ? [] : [number]))
}

describe('A service that writes to descriptor 1 itself', () => {
  it('loses and repeats no line however often the daemon is killed, and is not restarted', async () => {
    const box = sandbox({ daemon: { maxLogBytes: 20_000, maxOldLogs: 200 } })
    const { instances } = await box.engine.start({
      name: 'counts',
      script: fixture('writes-itself.mjs'),
    })
    const file = outputFile(box, 'stdout')
    for (let round = 1; round <= 4; round++) {
      await killDaemon(box)
      const before = linesOf(file)
      await eventually(
        () => linesOf(file),
        (lines) => lines > before + 100,
      )
      const written = linesOf(file)
      // The next daemon shows what was written while there was none.
      await box.newEngine().daemonStats()
      const seen = await eventually(
        () => numbered(box),
        ({ length }) => length >= written,
      )
      expect(outOfOrder(seen)).toEqual([])
    }
    expect(await statusOf(box.newEngine(), 'counts', () => true)).toMatchObject({
      state: 'online',
      instances: [{ pid: instances[0]?.pid, restarts: 0 }],
    })
  })

  it('has its last words in the log, though no daemon lived when it ended', async () => {
    const box = sandbox()
    const { instances } = await box.engine.start({
      name: 'counts',
      script: fixture('writes-itself.mjs'),
    })
    const pid = instances[0]?.pid as number
    await killDaemon(box)
    process.kill(pid, 'SIGUSR2')
    const file = outputFile(box, 'stderr')
    await eventually(
      () => readFileSync(file, 'utf8'),
      (text) => text.endsWith('\n'),
    )
    process.kill(pid, 'SIGKILL')
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    )
    const said = readFileSync(file, 'utf8').trimEnd()
    await eventually(
      async () => (await logLines(box.newEngine(), 'counts', 100_000)).map(({ text }) => text),
      (lines) => lines.includes(said),
    )
    expect(said).toMatch(/^\d+ wrote \d+$/)
    // The files of a process that is gone are removed, and those of the one after it are there.
    expect(readdirSync(join(box.root, 'output'))).toHaveLength(1)
  })

  it('goes on when the disk is full, and so does what it prints once there is room', async () => {
    const box = sandbox()
    mkdirSync(join(box.root, 'logs'), { recursive: true })
    symlinkSync('/dev/full', join(box.root, 'logs/counts.log'))
    const { instances } = await box.engine.start({
      name: 'counts',
      script: fixture('writes-itself.mjs'),
    })
    await eventually(
      async () => (await box.engine.daemonStats()).warnings,
      (warnings) => warnings.some((text) => text.startsWith('could not write logs: ENOSPC')),
    )
    await eventually(
      () => linesOf(outputFile(box, 'stdout')),
      (lines) => lines > 50,
    )
    unlinkSync(join(box.root, 'logs/counts.log'))
    const seen = await eventually(
      () => numbered(box),
      ({ length }) => length > 50,
    )
    expect(outOfOrder(seen)).toEqual([])
    expect(isAlive(instances[0]?.pid as number)).toBe(true)
  })
})

describe('The output of a service', () => {
  it('takes little room on the disk, however much it prints, with a daemon and without one', async () => {
    const box = sandbox({ daemon: { maxLogBytes: 100_000, maxOldLogs: 1 } })
    await box.engine.start({ name: 'floods', script: fixture('floods.mjs') })
    const file = outputFile(box, 'stdout')
    const roomWhenSizeIs = (bytes: number) =>
      eventually(
        () => statSync(file),
        ({ size, blocks }) => size > bytes && blocks * 512 < 8 * 2 ** 20,
        50_000,
      )
    const { size } = await roomWhenSizeIs(16 * 2 ** 20)
    await killDaemon(box)
    await roomWhenSizeIs(size + 16 * 2 ** 20)
    expect(await box.newEngine().stop('floods')).toMatchObject({ state: 'stopped' })
  })
})
