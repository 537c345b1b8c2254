import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/**
 * Closes the run with one line that people and CI read: `N passed, N failed[, N skipped]`.
 * A file that could not be collected and an error outside of every test count as failures.
 *
 * With NEXUS_FAILED_FILES, the path of a file, that file gets how many tests passed in the files that passed, then the
 * path of each other file, a line each: `.ci/run` runs these once more. It stays empty when an error belongs to no file.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly object[],
    reason: TestRunEndReason,
  ): void {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const owners = unhandledErrors.flatMap(fileOf)
    const failedFiles = new Set(owners)
    let passedElsewhere = 0
    let unfinished = 0
    for (const module of modules) {
      totals.failed += module.errors().length
      let passed = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'skipped') totals.skipped++
        else totals.failed++
      }
      totals.passed += passed
      if (isUnfinished(module)) unfinished++
      if (!module.ok() || isUnfinished(module)) failedFiles.add(module.moduleId)
      if (!failedFiles.has(module.moduleId)) passedElsewhere += passed
    }
    if (reason !== 'passed' && totals.failed === 0) totals.failed = 1
    const { NEXUS_FAILED_FILES: path } = process.env
    // The error of a process that ended in the middle of its file names no file.
    const unowned = unhandledErrors.length - owners.length
    const lines = unowned > unfinished ? [] : [passedElsewhere, ...failedFiles, '']
    if (path) writeFileSync(path, lines.join('\n'))
    const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
    process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`)
  }
}

/** The test file during which an error was thrown, where Vitest knows it. */
function fileOf(error: { VITEST_TEST_PATH?: string }): string[] {
  return error.VITEST_TEST_PATH ? [error.VITEST_TEST_PATH] : []
}

function isUnfinished(module: TestModule): boolean {
  return module.state() === 'queued' || module.state() === 'pending'
}
