import type { TestProjectConfiguration } from 'vitest/config'

/** Resolve `@nexus/*` to its TypeScript source, so that unit tests need no build. */
const fromSource = {
  resolve: { conditions: ['@nexus/source'] },
  ssr: { resolve: { conditions: ['@nexus/source'], externalConditions: ['@nexus/source'] } },
}

/** One project: every package, app, tool and example keeps its tests beside its code. */
const workspace: TestProjectConfiguration[] = [
  {
    ...fromSource,
    test: {
      name: 'nexus',
      include: ['{packages,apps,examples}/*/{src,test}/**/*.test.ts', 'tools/**/*.test.ts'],
      testTimeout: 30_000,
      hookTimeout: 60_000,
      // Long enough for a slow machine; a test that passes does not wait for it.
      expect: { poll: { timeout: 20_000, interval: 20 } },
    },
  },
]

export default workspace
