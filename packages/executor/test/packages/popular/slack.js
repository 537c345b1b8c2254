import { WebClient } from '@slack/web-api'
export default async () => {
  const sent = []
  const fetch = async (url, init) => {
    sent.push([String(url), init.method, String(init.body)])
    return Response.json({ ok: true, ts: '1.2' })
  }
  const slack = new WebClient('xoxb-none', { fetch, retryConfig: { retries: 0 } })
  const { ok, ts } = await slack.chat.postMessage({ channel: 'C1', text: 'hi' })
  return [ok, ts, sent]
}
