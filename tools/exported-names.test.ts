import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportedNames, namesOfSeveralPackages, packageEntries } from './exported-names.mjs'

/**
 * The JSON of the HTTP API, which `@nexus/client` describes without importing the packages that make it.
 * `apps/runtime/test/wire-types.test.ts` holds that both describe the same.
 */
const WIRE = [
  ...[
    'CloudEvent',
    'Erasure',
    'EventOutcome',
    'FunctionPause',
    'FunctionRun',
    'FunctionSuspension',
    'FunctionWait',
    'ResumeReceipt',
    'RunSuspension',
    'SuspensionPage',
    'FunctionStatus',
    'Invocation',
    'JsonValue',
    'LogLine',
    'RunError',
    'UxImprovement',
  ],
  ...['AllocatingCode', 'ProfiledCode', 'ProfiledFunction', 'ProfiledThread'],
]

describe('the names that packages export', () => {
  it('are unique, but for what one passes on from another and the JSON of the HTTP API', () => {
    const shared = namesOfSeveralPackages(packageEntries(join(import.meta.dirname, '..')))
    for (const name of WIRE) {
      expect(shared.get(name), name).toEqual(expect.arrayContaining(['@nexus/client']))
      shared.delete(name)
    }
    expect(Object.fromEntries(shared)).toEqual({})
  })

  it('are read from lists, aliases and declarations', () => {
    const source = [
      "export { a, type B } from './a.js'",
      "export type {\n  C,\n  D as E,\n} from '@nexus/other'",
      'export interface F<T> {}',
      'export async function g() {}',
      'const h = 1',
    ].join('\n')
    expect([...exportedNames(source)]).toEqual([
      ['a', undefined],
      ['B', undefined],
      ['C', '@nexus/other'],
      ['E', '@nexus/other'],
      ['F', undefined],
      ['g', undefined],
    ])
  })

  it('are found when two packages declare one, and not when one passes it on', () => {
    const entries = [
      { name: 'one', source: "export { A, B } from './a.js'" },
      { name: 'two', source: "export { A } from 'one'\nexport { B } from './b.js'" },
    ]
    expect([...namesOfSeveralPackages(entries)]).toEqual([['B', ['one', 'two']]])
  })
})
