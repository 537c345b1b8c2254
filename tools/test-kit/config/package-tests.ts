import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { REPORTERS } from './reporters.js'
import { sourcePrograms } from './source-programs.js'

/** What one package sets by itself. */
export interface PackageTests {
  /** The name of the project. @default the name in the package's manifest */
  name?: string
  /** Where the tests are, from the package's folder. @default ['{src,test}/**\/*.test.ts'] */
  include?: string[]
  /** The longest that a test may take, in milliseconds. @default 30_000 */
  testTimeout?: number
}

/**
 * The test settings that every package shares. A package's own `vitest.config.ts` calls this, so that
 * `vitest run` works inside the package as it does from the root.
 */
export function packageTests(own: PackageTests = {}): ViteUserConfig {
  return defineConfig({
    plugins: [sourcePrograms()],
    // Resolve `@nexus/*` to its TypeScript source, so that tests need no build.
    resolve: { conditions: ['@nexus/source'] },
    ssr: { resolve: { conditions: ['@nexus/source'], externalConditions: ['@nexus/source'] } },
    test: {
      include: ['{src,test}/**/*.test.ts'],
      testTimeout: 30_000,
      ...own,
      pool: 'forks',
      // Node 20 aborts, now and then, when a worker thread ends while V8 still optimizes its code in the background:
      // the isolate leaves Node's platform before it waits for that. Tests end threads by the thousand.
      execArgv: ['--no-concurrent-recompilation'],
      hookTimeout: 60_000,
      // Long enough for a slow machine; a test that passes does not wait for it.
      expect: { poll: { timeout: 20_000, interval: 20 } },
      reporters: REPORTERS,
    },
  })
}
