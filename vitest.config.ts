import { defineConfig } from 'vitest/config'
import workspace from './vitest.workspace.js'

export default defineConfig({
  test: {
    projects: workspace,
    pool: 'forks',
    // Many files wait for servers and processes: one at a time would leave a small machine idle.
    maxWorkers: '100%',
    reporters: ['default', './tools/totals-reporter.ts'],
  },
})
