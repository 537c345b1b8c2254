import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'

interface Tables {
  person: { id: number; name: string; age: number | null }
}
const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

export default async () =>
  [
    db
      .selectFrom('person')
      .select(['id', 'name'])
      .where('age', '>', 18)
      .orderBy('name')
      .limit(5)
      .compile(),
    db.insertInto('person').values({ id: 1, name: 'a', age: null }).returningAll().compile(),
    db.updateTable('person').set({ age: sql`age + 1` }).where('id', 'in', [1, 2]).compile(),
    await db.selectFrom('person').selectAll().execute(),
  ].map((query) => ('sql' in query ? [query.sql, query.parameters] : query))
