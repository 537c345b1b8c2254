import { defineConfig } from 'vitest/config'
import workspace from './vitest.workspace.js'

export default defineConfig({
  test: {
    projects: workspace,
    pool: 'forks',
    // Vitest leaves one processor free; a test that waits for a server leaves enough.
    maxWorkers: '100%',
    reporters: ['default', './tools/totals-reporter.ts'],
  },
})
