import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { handler, openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 20_000 })
const folder = new URL('as-in-node/', import.meta.url)

/** What an expression gives, or the name of what it throws. */
const OUTCOME = (expression: string) =>
  `try { return { value: await (${expression}) } } catch (error) { return { threw: error?.name } }`

// Each line of these files is an expression; a line that begins with // is a comment.
describe.each(readdirSync(folder))('%s: the same as in Node', (file) => {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n')
  it.each(lines.filter((line) => line.trim() !== '' && !line.startsWith('//')))(
    '%s',
    async (line) => {
      const { value, error } = await runtime.executeHandler(handler(OUTCOME(line)), { event: null })
      expect(error).toBeUndefined()
      const here: unknown = await new Function(`return (async () => { ${OUTCOME(line)} })()`)()
      expect(value).toEqual(JSON.parse(JSON.stringify(here)))
    },
  )
})
