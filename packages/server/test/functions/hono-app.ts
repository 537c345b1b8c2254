import { Hono } from 'hono'

const app = new Hono()
app.get('/shop/hello/:name', (c) =>
  c.text(`Hello ${c.req.param('name')}`, 200, { 'x-app': 'hono' }),
)
app.post('/shop/echo', async (c) => c.json(await c.req.json(), 201))
app.notFound((c) => c.json({ missing: c.req.path }, 404))

export default app
