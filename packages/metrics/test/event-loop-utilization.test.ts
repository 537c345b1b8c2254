import { spawnSync } from 'node:child_process'
import { EventLoopUtilization } from '@nexus/metrics'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

it('a program that only computes is busy, also before its event loop has started', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { EventLoopUtilization } from '@nexus/metrics'
        const utilization = new EventLoopUtilization()
        const end = performance.now() + 100
        while (performance.now() < end);
        console.log(utilization.read() > 0.9, utilization.read() <= 1)`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    conditions: ['@nexus/source'],
  })
  const program = outputFiles[0]!.text
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-'], {
    input: program,
    encoding: 'utf8',
  })
  expect({ stdout, stderr }).toEqual({ stdout: 'true true\n', stderr: '' })
})

it('a loop that waits is idle', async () => {
  const utilization = new EventLoopUtilization()
  await expect
    .poll(async () => {
      utilization.read()
      await new Promise((resolve) => setTimeout(resolve, 50))
      return utilization.read()
    })
    .toBeLessThan(0.5)
})
