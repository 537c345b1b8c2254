import { AutoRouter } from 'itty-router'

const router = AutoRouter()
router
  .get('/itty/:id', ({ params }) => ({ id: params.id }))
  .post('/itty', async (request) => ({ got: await request.json() }))

export default router
