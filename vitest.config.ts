import { defineConfig } from 'vitest/config'
import { REPORTERS } from './tools/test-kit/config/reporters.js'
import workspace from './vitest.workspace.js'

export default defineConfig({
  test: {
    projects: workspace,
    // Vitest leaves one processor free; a test that waits for a server leaves enough.
    maxWorkers: '100%',
    reporters: REPORTERS,
  },
})
