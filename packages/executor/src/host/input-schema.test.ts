import { expect, it } from 'vitest'
import { type Schema, validate } from './input-schema.js'

const failing = (issues: readonly unknown[]): Schema =>
  ({ '~standard': { validate: () => ({ issues }) } }) as unknown as Schema

const revoked = Proxy.revocable({}, {})
revoked.revoke()

it.each<[string, unknown]>([
  ['a list whose text never ends', new Array(2 ** 32 - 1)],
  ['an object whose toString is null', { toString: null }],
  ['an object without a prototype', Object.create(null)],
  ['a revoked proxy', revoked.proxy],
  ['a BigInt of a million digits', 10n ** 1_000_000n],
  ['null', null],
])(
  'a key of the guest in the path of a problem is not turned into text: %s',
  async (_what, key) => {
    const { problems } = await validate(failing([{ message: 'wrong', path: ['map', { key }] }]), 1)
    expect(problems).toEqual([{ message: 'wrong', path: ['map', '(a key that is no text)'] }])
  },
)

it('a message that is no text says as much', async () => {
  const { problems } = await validate(failing([{ message: { toString: null } }]), 1)
  expect(problems).toEqual([{ message: 'wrong value', path: [] }])
})

it('keys that are text, numbers and symbols are told, cut to a length', async () => {
  const path = ['a', 5, Symbol('s'), { key: 'k' }, 'x'.repeat(5000)]
  const { problems } = await validate(failing([{ message: 'm'.repeat(5000), path }]), 1)
  expect(problems[0]!.path.slice(0, 4)).toEqual(['a', '5', 'Symbol(s)', 'k'])
  expect([problems[0]!.path[4]!.length, problems[0]!.message.length]).toEqual([1024, 1024])
})

it('ten problems are told, and of more only how many', async () => {
  const problems = async (count: number) =>
    (await validate(failing(Array(count).fill({ message: 'wrong', path: ['a'] })), 1)).problems
  expect(await problems(10)).toHaveLength(10)
  expect(await problems(10)).not.toContainEqual(expect.objectContaining({ path: [] }))
  expect((await problems(100_000)).slice(10)).toEqual([
    { path: [], message: 'and 99990 more problems' },
  ])
})

it.each([{ success: false }, { success: false, error: { issues: [] } }])(
  'a value that a schema refuses without a word is refused: %j',
  async (result) => {
    const { value, problems } = await validate({ safeParse: () => ({ ...result, data: 1 }) }, 1)
    expect(value).toBeUndefined()
    expect(problems).toEqual([{ path: [], message: 'wrong value' }])
  },
)
