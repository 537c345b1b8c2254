import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Activity } from '@nexus/runtime'
import { describe, expect, it } from 'vitest'
import { serve, settled } from './workspace.js'

const yaml = (more = '') =>
  `functions:\n  - { name: fn, source: ./fn.ts, events: [a], retry: { maxAttempts: 1 } }\n${more}`
const files = {
  'nexus.yaml': yaml(),
  'fn.ts': "import { word } from './word.js'\nexport default () => word\n",
  'word.ts': "export const word: string = 'one'\n",
}

async function watched() {
  const waiting = new Set<{ kind: Activity['kind']; tell: (activity: Activity) => void }>()
  const served = await serve(files, {
    watch: true,
    onActivity: (activity) => {
      for (const waiter of waiting) {
        if (waiter.kind !== activity.kind) continue
        waiting.delete(waiter)
        waiter.tell(activity)
      }
    },
  })
  const next = (kind: Activity['kind']) =>
    new Promise<Activity>((tell) => waiting.add({ kind, tell }))
  const run = async (type = 'a') => {
    const { id } = await served.client.publish({ type })
    return (await settled(served.client, id)).runs[0]
  }
  const write = (name: string, text: string) => writeFile(join(served.directory, name), text)
  return { ...served, next, run, write }
}

describe('a watched runtime', () => {
  it('runs the new code once a file it is made of changes', async () => {
    const { next, run, write } = await watched()
    expect(await run()).toMatchObject({ value: 'one' })
    const reloaded = next('reload')
    await write('word.ts', "export const word: string = 'two'\n")
    await reloaded
    expect(await run()).toMatchObject({ value: 'two' })
  })

  it('goes on with the last good code after a broken edit, says what is wrong, and recovers', async () => {
    const { next, run, write } = await watched()
    const problem = next('problem')
    await write('fn.ts', 'export default () => (\n')
    expect(await problem).toMatchObject({ message: expect.stringMatching(/fn\.ts:\d+:\d+/) })
    expect(await run()).toMatchObject({ value: 'one' })
    const reloaded = next('reload')
    await write('fn.ts', "export default () => 'mended'\n")
    await reloaded
    expect(await run()).toMatchObject({ value: 'mended' })
  })

  it('notices an editor that replaces the file', async () => {
    const { next, run, write, directory } = await watched()
    await write('fn.ts~', "export default () => 'replaced'\n")
    const reloaded = next('reload')
    await rename(join(directory, 'fn.ts~'), join(directory, 'fn.ts'))
    await reloaded
    expect(await run()).toMatchObject({ value: 'replaced' })
  })

  it('waits for a new function that does not compile yet to be mended', async () => {
    const { next, run, write } = await watched()
    const problem = next('problem')
    await write('new.ts', 'export default () => (\n')
    await write('nexus.yaml', yaml('  - { name: new, source: ./new.ts, events: [n] }\n'))
    await problem
    const reloaded = next('reload')
    await write('new.ts', "export default () => 'new'\n")
    await reloaded
    expect(await run('n')).toMatchObject({ function: 'new', value: 'new' })
  })

  it.each([
    [
      'a source',
      '{ name: new, source: ./new/deep/fn.ts, events: [n] }',
      'fn.ts',
      "export default () => 'new'\n",
    ],
    [
      'a schema',
      '{ name: new, source: ./handler.js, schema: ./new/deep/schema.json, events: [n] }',
      'schema.json',
      '{}',
    ],
  ])('notices %s that nexus.yaml names once it is written', async (_, entry, name, text) => {
    const { next, run, write, directory } = await watched()
    await write('handler.js', "export default () => 'new'\n")
    const problem = next('problem')
    await write('nexus.yaml', yaml(`  - ${entry}\n`))
    await problem
    const reloaded = next('reload')
    await mkdir(join(directory, 'new/deep'), { recursive: true })
    await write(`new/deep/${name}`, text)
    await reloaded
    expect(await run('n')).toMatchObject({ function: 'new', value: 'new' })
  })

  it('binds functions that nexus.yaml gains and stops those it loses', async () => {
    const { next, run, write, client } = await watched()
    let reloaded = next('reload')
    await write('nexus.yaml', yaml('  - { name: other, source: ./word.ts, events: [b] }\n'))
    await next('problem')
    await write('other.ts', "export default () => 'other'\n")
    await write('nexus.yaml', yaml('  - { name: other, source: ./other.ts, events: [b] }\n'))
    await reloaded
    expect(await run('b')).toMatchObject({ function: 'other', value: 'other' })
    reloaded = next('reload')
    await write('nexus.yaml', yaml())
    await reloaded
    expect(await run('a')).toMatchObject({ function: 'fn' })
    expect((await client.metrics()).functions.executed).toBe(2)
  })
})
