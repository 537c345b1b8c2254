import { spawnSync } from 'node:child_process'
import { test } from 'vitest'

/**
 * `test` where a program is installed. Without it a loud skip, or, with NEXUS_TEST_SERVERS=required, a failure.
 */
export function testWith(program: string, debianPackage: string): typeof test | typeof test.skip {
  const found = !spawnSync(program, ['--version'], { stdio: 'ignore' }).error
  if (found || process.env.NEXUS_TEST_SERVERS === 'required') return test
  console.warn(`SKIPPED: ${program} is missing. Install it with: apt-get install ${debianPackage}`)
  return test.skip
}
