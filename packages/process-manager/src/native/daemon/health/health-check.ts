import { connect } from 'node:net'
import type { HealthCheck } from '../../../service/service.js'
import { aborted } from '../../aborted.js'

/**
 * Checks once; answers why it is not healthy, or null. Never rejects.
 *
 * @param askOverIpc resolves with the service's answer, or never; null where there is no channel to it
 */
export async function checkHealth(
  check: HealthCheck,
  timeoutMs: number,
  askOverIpc: (() => Promise<void>) | null,
): Promise<string | null> {
  const { url, port } = check
  const answer = new AbortController()
  const timeout = setTimeout(() => answer.abort(), timeoutMs)
  try {
    if (url !== undefined) return await checkHttp(url, answer.signal)
    if (port !== undefined) return await checkTcp(port, answer.signal)
    if (askOverIpc === null) return 'its IPC channel ended with the daemon that forked it'
    await Promise.race([askOverIpc(), aborted(answer.signal)])
    return null
  } catch (error) {
    const where = url ?? (port === undefined ? 'its IPC channel' : `port ${port}`)
    if (answer.signal.aborted) return `${where} did not answer within ${timeoutMs} ms`
    return `${where} failed: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`
  } finally {
    clearTimeout(timeout)
    answer.abort()
  }
}

async function checkHttp(url: string, signal: AbortSignal): Promise<string | null> {
  // Most services have no such check, and a daemon that starts need not wait for what it may never use.
  const { get } = await (url.startsWith('https:') ? import('node:https') : import('node:http'))
  return new Promise((resolve, reject) => {
    const request = get(url, { signal, agent: false }, ({ statusCode = 0 }) => {
      const healthy = statusCode >= 200 && statusCode < 400
      resolve(healthy ? null : `${url} answered ${statusCode}`)
      request.destroy()
    })
    // After the answer, an error is the connection that was dropped.
    request.on('error', reject)
  })
}

/** Resolves with null once the port of this machine accepts a connection. */
export function checkTcp(port: number, signal: AbortSignal): Promise<null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', signal }, () => {
      resolve(null)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
