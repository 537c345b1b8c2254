import { buildSchema, graphql, parse, print, validate } from 'graphql'

const schema = buildSchema(
  'type Query { user(id: ID!): User } type User { id: ID! name: String friends: [User!]! }',
)
const user = (id: string, depth = 2): object => ({
  id,
  name: () => `n${id}`,
  friends: async () => (depth > 0 ? [user(`${id}1`, depth - 1)] : []),
})

export default async () => [
  await graphql({
    schema,
    source: '{ user(id: "5") { id name friends { name friends { id } } } }',
    rootValue: { user: ({ id }: { id: string }) => user(id) },
  }),
  await graphql({ schema, source: '{ nope }' }),
  print(parse('query Q($a: Int = 1) { user(id: $a) { ...F } } fragment F on User { id }')),
  validate(schema, parse('{ user { id } }')).map(({ message }) => message),
]
