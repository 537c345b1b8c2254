import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/**
 * Closes the run with one line that people and CI read: `N passed, N failed[, N skipped]`.
 * A file that could not be collected and an error outside of every test count as failures.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      totals.failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') totals.passed++
        else if (state === 'skipped') totals.skipped++
        else totals.failed++
      }
    }
    if (reason !== 'passed' && totals.failed === 0) totals.failed = 1
    const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
    process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`)
  }
}
