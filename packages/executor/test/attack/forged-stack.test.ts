import { expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0 })

it.each([
  ['a file of the host', '    at read (/etc/passwd:1:1)'],
  ['another handler', '    at other.ts:1:1'],
  ['a name that only begins like the handler', '    at handler.ts.js:1:1'],
  ['line 0', '    at handler.ts:0:1'],
  ['column 0', '    at handler.ts:1:0'],
  ['a line number of 400 digits', `    at handler.ts:${'9'.repeat(400)}:1`],
  ['a column number of 30 digits', `    at handler.ts:1:${'9'.repeat(30)}`],
])('a stack that names %s does not reach the source map', async (_name, stack) => {
  const handler = await runtime.precompileHandler(
    'export default (stack: string): void => { throw Object.assign(new Error("x"), { stack }) }',
    { filename: 'handler.ts' },
  )
  expect(handler.sourceMap).toBeDefined()
  const { error } = await runtime.executeCompiledHandler(handler, { event: stack })
  expect(error).toMatchObject({ code: 'EXECUTION_ERROR', message: 'x' })
  expect(error?.location).toBeUndefined()
})
