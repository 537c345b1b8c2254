import { defineConfig, type Options } from 'tsup'

/**
 * The build every package shares: ESM for Node 20, one entry per public subpath, declarations beside it.
 *
 * @param options what differs from the shared build, usually only `entry`
 */
export function library(options: Options = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: ['src/index.ts'],
    format: ['esm'],
    target: 'node20',
    dts: true,
    clean: true,
    sourcemap: true,
    splitting: true,
    treeshake: true,
    ...options,
  })
}
