/** One project for each package, app and example that has tests, under the name of its manifest. */
const workspace: string[] = [
  'packages/*/vitest.config.ts',
  'apps/*/vitest.config.ts',
  'examples/*/vitest.config.ts',
  'tools/vitest.config.ts',
]

export default workspace
