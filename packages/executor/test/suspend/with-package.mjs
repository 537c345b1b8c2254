import { z } from 'zod'

const Person = z.object({ name: z.string(), age: z.number() })

export default async (_event, ctx) => {
  const { name, age } = Person.parse(await ctx.suspend('person'))
  const { error } = Person.safeParse(await ctx.suspend('another'))
  return [
    name,
    age,
    error.issues
      .map(({ path }) => path.join('.'))
      .sort()
      .join(),
  ]
}
