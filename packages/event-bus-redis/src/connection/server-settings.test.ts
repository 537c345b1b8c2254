import type { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { assertSuitable, readDurability } from './server-settings.js'

const url = 'redis://user:secret@127.0.0.1:6379/0'

/** A connection to a server that says this about itself. */
const telling = (info: Record<string, string>): Redis =>
  ({ info: async (section: string) => info[section] ?? '' }) as unknown as Redis

for (const [version, isRefused] of [
  ['6.2.14', true],
  ['5.0.7', true],
  ['7.0.0', false],
  ['7.4.1', false],
  ['8.0.0', false],
  ['10.2.0', false],
] as const) {
  it(`${isRefused ? 'refuses' : 'takes'} a server of version ${version}`, async () => {
    const server = `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`
    const checked = await assertSuitable(telling({ server }), url).then(
      () => undefined,
      (error: unknown) => error as Error,
    )
    if (!isRefused) return expect(checked).toBe(undefined)
    expect(checked).toMatchObject({ code: 'INVALID_OPTIONS', details: { version } })
    expect(checked?.message).toBe(
      `Redis at redis://127.0.0.1:6379/0: expected Redis 7.0 or later, got version ${version}`,
    )
  })
}

it('trusts a server that does not let the user ask', async () => {
  const connection = {
    info: async () => {
      throw new Error("NOPERM this user has no permissions to run the 'info' command")
    },
  } as unknown as Redis
  await assertSuitable(connection, url)
})

it.each([
  ['disk', ['appendonly', 'yes', 'appendfsync', 'always', 'no-appendfsync-on-rewrite', 'no']],
  ['os', ['appendonly', 'yes', 'appendfsync', 'always', 'no-appendfsync-on-rewrite', 'yes']],
  ['os', ['appendonly', 'yes', 'appendfsync', 'always']],
  ['os', ['appendonly', 'yes', 'no-appendfsync-on-rewrite', 'no']],
  ['memory', ['appendfsync', 'always', 'no-appendfsync-on-rewrite', 'no']],
  ['memory', []],
])('promises %s of a server that tells %j of how it syncs', async (durability, told) => {
  const connection = { config: async () => told } as unknown as Redis
  expect(await readDurability(connection)).toBe(durability)
})
