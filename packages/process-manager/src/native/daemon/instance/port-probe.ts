import { checkTcp } from '../health/health-check.js'

const FIRST_LOOK_MS = 250
const MAX_PAUSE_MS = 2_000

/**
 * Finds out whether a port begins to accept connections, for services whose own process does not report it. Call it
 * before the service is started: a port that accepts already belongs to another program, and says nothing.
 *
 * @returns begins to look, while a command waits
 */
export function awaitPort(port: number): (waiting: () => boolean, accepts: () => void) => void {
  // The system answers this at once, whenever Node comes to tell.
  const before = isOpen(port)
  return (waiting, accepts) => {
    const look = async (pauseMs: number) => {
      if (!waiting() || (await before)) return
      if (await isOpen(port)) accepts()
      else setTimeout(look, pauseMs, Math.min(MAX_PAUSE_MS, 2 * pauseMs)).unref()
    }
    setTimeout(look, FIRST_LOOK_MS, FIRST_LOOK_MS).unref()
  }
}

function isOpen(port: number): Promise<boolean> {
  return checkTcp(port, AbortSignal.timeout(1_000)).then(
    () => true,
    () => false,
  )
}
