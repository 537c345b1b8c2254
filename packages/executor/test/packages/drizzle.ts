import { and, eq, gt, sql } from 'drizzle-orm'
import { integer, pgTable, QueryBuilder, text } from 'drizzle-orm/pg-core'

const users = pgTable('users', { id: integer('id').primaryKey(), name: text('name').notNull() })
const posts = pgTable('posts', {
  id: integer('id'),
  author: integer('author').references(() => users.id),
})

export default () => {
  const qb = new QueryBuilder()
  return [
    qb
      .select()
      .from(users)
      .where(and(eq(users.name, 'a'), gt(users.id, 5)))
      .toSQL(),
    qb
      .select({ n: sql<number>`count(*)` })
      .from(posts)
      .leftJoin(users, eq(users.id, posts.author))
      .groupBy(users.id)
      .toSQL(),
  ]
}
