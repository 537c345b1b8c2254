import { AutoRouter, cors } from 'itty-router'
export default async () => {
  const { preflight, corsify } = cors()
  const r = AutoRouter({ before: [preflight], finally: [corsify] })
  r.get('/a/:id', ({ params, query }) => ({ id: params.id, query }))
    .get('/t', () => 'text')
    .get('/boom', () => {
      throw new Error('x')
    })
  const out = []
  for (const [m, u] of [
    ['GET', '/a/5?x=1&y=2'],
    ['GET', '/t'],
    ['GET', '/none'],
    ['GET', '/boom'],
    ['OPTIONS', '/t'],
  ]) {
    const res = await r.fetch(
      new Request(`https://h.example${u}`, { method: m, headers: { origin: 'https://o.example' } }),
    )
    out.push([res.status, [...res.headers].sort(), await res.text()])
  }
  return out
}
