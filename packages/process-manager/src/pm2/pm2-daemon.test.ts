import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { startPm2Daemon } from './pm2-daemon.js'

vi.mock('node:module', () => ({
  default: {
    createRequire: () => ({
      resolve: () => {
        throw new Error("Cannot find module 'pm2/package.json'")
      },
    }),
  },
}))

it('says what to install where pm2 is missing', async () => {
  const failure = startPm2Daemon(join(tmpdir(), 'no-pm2-home'), 1000)
  await expect(failure).rejects.toMatchObject({ code: 'PM2_UNAVAILABLE' })
  await expect(failure).rejects.toThrow(/run "npm install pm2", or start the daemon yourself/)
})
