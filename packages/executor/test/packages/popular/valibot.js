import * as v from 'valibot'
export default () => {
  const s = v.object({
    n: v.pipe(v.number(), v.minValue(1)),
    e: v.optional(v.pipe(v.string(), v.email())),
  })
  const r = v.safeParse(s, { n: 0, e: 'x' })
  return [v.parse(s, { n: 2 }), r.issues.map((i) => [i.message, i.path.map((p) => p.key)])]
}
