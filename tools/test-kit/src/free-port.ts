import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to programs that ask for any; processes of one test run begin far apart. */
let nextPort = 20_000 + ((process.pid * 61) % 11_000)

/** A port that no program listens on, and that no connection going out takes meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++
    const probe = createServer()
    try {
      await once(probe.listen(port), 'listening')
    } catch {
      continue
    }
    await once(probe.close(), 'close')
    return port
  }
}
