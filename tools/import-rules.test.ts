import { describe, expect, it } from 'vitest'
import { allowedImports, wrongImports } from './import-rules.mjs'

function imports(name: string, text: string, dependencies: string[] = []) {
  const manifest = {
    exports: { '.': './dist/index.js' },
    dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, 'workspace:^'])),
  }
  return wrongImports({ name, manifest, sources: [{ file: 'src/a.ts', text }] })
}

describe('the rules of who may import whom', () => {
  it('let a package import what lies below it, metrics and diagnostics', () => {
    expect([...allowedImports('functions')].sort()).toEqual(
      ['compile-cache', 'diagnostics', 'event-bus', 'executor', 'instance-pool', 'metrics'].sort(),
    )
    expect(
      imports('executor', "import { a } from '@nexus/instance-pool'", ['@nexus/instance-pool']),
    ).toEqual([])
  })

  it('refuse an arrow that runs up, whatever the form of the import', () => {
    for (const text of [
      "import { a } from '@nexus/functions'",
      "import type { A } from '@nexus/functions'",
      "export { a } from '@nexus/functions/watch'",
      "import '@nexus/functions'",
      "const a = await import('@nexus/functions')",
      "const a = require('@nexus/functions')",
    ]) {
      expect(imports('event-bus', text)).toEqual([
        'src/a.ts imports @nexus/functions: no arrow allows it',
      ])
    }
  })

  it('refuse a dependency that the manifest names against the arrows', () => {
    expect(imports('metrics', '', ['@nexus/executor'])).toEqual([
      'package.json of metrics depends on executor, which no arrow allows',
    ])
  })

  it('refuse an import that the manifest does not name', () => {
    expect(imports('functions', "import { a } from '@nexus/executor'")).toEqual([
      'src/a.ts imports @nexus/executor: package.json does not name it under dependencies',
    ])
  })

  it('ignore what stands in a comment, and refuse a package they do not know', () => {
    expect(imports('metrics', " * import { a } from '@nexus/executor'")).toEqual([])
    expect(imports('new-one', '')).toEqual([
      'new-one is not in tools/import-rules.mjs: say there what it may import',
    ])
  })
})
