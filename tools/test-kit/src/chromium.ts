import { spawnSync } from 'node:child_process'
import { type Browser, chromium } from 'playwright-core'
import { test } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const executable = NAMES.map((name) =>
  spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(),
).find(Boolean)

/** `test` where Chromium is installed; else a loud skip, or with NEXUS_TEST_SERVERS=required a failure. */
export const testInChromium =
  executable || process.env.NEXUS_TEST_SERVERS === 'required' ? test : skipLoudly()

function skipLoudly(): typeof test.skip {
  console.warn('SKIPPED: chromium is missing. Install it with: apt-get install chromium')
  return test.skip
}

/** Starts Chromium with a profile of its own and nothing that talks to the network by itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Tests ask what a server does with a request, so the browser must not keep one of a page from this machine back.
      '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,LocalNetworkAccessChecksWebRTC',
    ],
  })
}
