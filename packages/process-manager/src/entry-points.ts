import { fileURLToPath } from 'node:url'

// This file stands one level below the package, as the built ones do, so that these paths hold for both.

/** What a forked process runs until it is told which service it is. */
export const SERVICE_HOST_PATH = fileURLToPath(new URL('../dist/service-host.cjs', import.meta.url))
/** The supervisor of the native engine. */
export const DAEMON_PATH = fileURLToPath(new URL('../dist/daemon.cjs', import.meta.url))
