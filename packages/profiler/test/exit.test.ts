import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

it('a client that was never closed keeps no process alive, and the host facts are not loaded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-profiler-'))
  try {
    const outfile = join(folder, 'program.mjs')
    await build({
      stdin: {
        contents: `
          import { createPerformanceClient } from '@nexus/profiler'
          const client = createPerformanceClient()
          await client.startProfiling()
          console.log(client.getStats().profiling)`,
        resolveDir: import.meta.dirname,
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['systeminformation'],
      conditions: ['@nexus/source'],
    })
    // systeminformation cannot be found from there: it is only loaded when it is asked for.
    const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true\n', stderr: '' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
