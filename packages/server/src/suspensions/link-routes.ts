import { type FunctionHost, FunctionsError } from '@nexus/functions'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { escaped, sendPage } from './link-page.js'

interface WithToken {
  Params: { token: string }
}

const path = '/resume/:token'
const access = { config: { nexusAccess: 'link' } } as const

/**
 * `GET /resume/:token` asks whether the call that a link of `ctx.resumeUrl` is for shall go on; only its `POST`, which the button
 * of that page sends, lets it. Programs that look at mails open links: that changes nothing.
 */
export function linkRoutes(server: FastifyInstance, host: FunctionHost): void {
  server.get<WithToken>(path, access, async ({ params: { token } }, reply) => {
    const link = await host.suspensions.openLink(token)
    if (!link) return invalid(reply)
    const { name, waits } = link
    if (!waits) return over(reply)
    const answer = 'value' in link ? `<p>The answer:</p>${shown(link.value)}` : ''
    const about = 'data' in waits ? shown(waits.data) : ''
    const asks = `<p>${escaped(waits.function)} waits for ${escaped(name)}.</p>${about}${answer}`
    const form = '<form method="post"><button>Confirm</button></form>'
    return sendPage(reply, 200, `Confirm: ${name}`, asks + form)
  })

  server.post<WithToken>(path, access, async ({ params: { token } }, reply) => {
    if (!(await host.suspensions.openLink(token))) return invalid(reply)
    try {
      await host.suspensions.resumeByLink(token)
    } catch (error) {
      if (!(error instanceof FunctionsError)) throw error
      if (error.code === 'SUSPENSION_NOT_FOUND') return over(reply)
      if (error.code === 'SUSPENSION_BUSY') return busy(reply)
      throw error
    }
    return sendPage(reply, 200, 'Confirmed', '<p>You may close this page.</p>')
  })
}

function invalid(reply: FastifyReply) {
  const why = '<p>It is incomplete, or it was not made here.</p>'
  return sendPage(reply, 404, 'This link is not valid', why)
}

function over(reply: FastifyReply) {
  const why = '<p>It was used, its time is over, or what it is for is not waited for yet.</p>'
  return sendPage(reply, 410, 'There is nothing to confirm', why)
}

function busy(reply: FastifyReply) {
  reply.header('retry-after', '5')
  return sendPage(reply, 503, 'Try again in a moment', '<p>Nothing was confirmed.</p>')
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return `<pre>${escaped(text ?? '')}</pre>`
}
