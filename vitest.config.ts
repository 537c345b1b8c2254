import { defineConfig } from 'vitest/config'
import workspace from './vitest.workspace.js'

export default defineConfig({
  test: {
    projects: workspace,
    // Vitest leaves one processor free; a test that waits for a server leaves enough.
    maxWorkers: '100%',
    reporters: ['default', './tools/test-kit/config/totals-reporter.ts'],
  },
})
