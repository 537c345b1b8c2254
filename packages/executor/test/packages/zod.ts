import { z } from 'zod'

const schema = z.object({
  id: z.uuid(),
  email: z.email(),
  tags: z.array(z.string().min(2)).max(3),
  at: z.coerce.date(),
  kind: z.discriminatedUnion('type', [
    z.object({ type: z.literal('a'), n: z.number() }),
    z.object({ type: z.literal('b'), s: z.string() }),
  ]),
})

export default (event: { good: unknown; bad: unknown }) => {
  const bad = schema.safeParse(event.bad)
  return {
    good: schema.parse(event.good),
    issues: bad.error?.issues,
    pretty: bad.error && z.prettifyError(bad.error),
    json: z.toJSONSchema(z.object({ a: z.string().optional() })),
  }
}
