import { silentLogger } from '@nexus/diagnostics'
import { describe, expect, it } from 'vitest'
import { type Scene, snapshotsOf } from '../../test/support/snapshots.js'
import { Optimizer } from './optimizer.js'

function found(scenes: readonly Scene[]) {
  const optimizer = new Optimizer({ now: () => 0 }, silentLogger)
  optimizer.update(snapshotsOf(scenes))
  return optimizer.optimizations
}

const ids = (scenes: readonly Scene[]) =>
  found(scenes).map(({ id, severity }) => `${id} ${severity}`)
const lasting = (scene: Scene) => [scene, scene, scene]

const disk = (availableBytes: number): Scene => ({
  system: { disks: { cache: { totalBytes: 1000, availableBytes } } },
})
const memory = (availableBytes: number, processBytes = 100): Scene => ({
  system: { memory: { totalBytes: 1000, availableBytes, processBytes } },
})
const cpu = (busyRatio: number, processRatio: number, stealRatio = 0): Scene => ({
  system: { cpu: { busyRatio, processRatio, stealRatio } },
})
const throttled = (throttledRatio: number): Scene => ({ system: { cpu: { throttledRatio } } })

describe('rules about the machine, at both sides of each limit', () => {
  it.each<[string, Scene[], string[]]>([
    ['a disk with a tenth free', [disk(100)], []],
    ['a disk with less', [disk(99)], ['disk-nearly-full:cache medium']],
    ['a disk with a twentieth', [disk(50)], ['disk-nearly-full:cache medium']],
    ['a disk with less than that', [disk(49)], ['disk-nearly-full:cache high']],
    ['a disk that was full', [disk(1), disk(100)], []],
    ['memory with a tenth available', lasting(memory(100)), []],
    ['memory with less', lasting(memory(99)), ['memory-pressure medium']],
    ['memory with less than a twentieth', lasting(memory(49)), ['memory-pressure high']],
    ['memory that was short twice', [memory(1), memory(1)], []],
    ['memory that was short once of three times', [memory(1), memory(900), memory(900)], []],
    ['processors that others use', lasting(cpu(0.85, 0.4)), ['noisy-neighbour medium']],
    ['processors that others use nearly alone', lasting(cpu(0.9, 0.1)), ['noisy-neighbour high']],
    ['processors that are not busy', lasting(cpu(0.84, 0.1)), []],
    ['processors that this process uses', lasting(cpu(1, 0.5)), []],
    [
      'a hypervisor that gives time to others',
      lasting(cpu(0.2, 0.1, 0.1)),
      ['noisy-neighbour high'],
    ],
    ['a hypervisor that gives little', lasting(cpu(0.2, 0.1, 0.09)), []],
    ['a container that waits', lasting(throttled(0.1)), ['cpu-throttled medium']],
    [
      'a container that waits a third of the time',
      lasting(throttled(0.31)),
      ['cpu-throttled high'],
    ],
    ['a container that hardly waits', lasting(throttled(0.09)), []],
    ['no limit', lasting({}), []],
  ])('%s', (_, scenes, expected) => expect(ids(scenes)).toEqual(expected))

  it('memory pressure says whose memory it is', () => {
    expect(found(lasting(memory(10, 600)))[0]?.advice).toMatch(/^Keep fewer instances/)
    expect(found(lasting(memory(10, 100)))[0]?.advice).toMatch(/other programs of the machine/)
  })

  it('a noisy neighbour is named where systeminformation told', () => {
    const scene = { ...cpu(0.9, 0.1), busiest: ['java', 'backup'] }
    expect(found(lasting(scene))[0]?.advice).toMatch(/java, backup/)
  })
})
