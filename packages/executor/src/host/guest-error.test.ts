import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { guestError } from './guest-error.js'

it('tells name, message, code and causes of an error, and no stack', () => {
  const error = Object.assign(new RangeError('outer', { cause: new Error('inner') }), {
    code: 'E1',
  })
  const told = guestError(error)
  expect(told).toMatchObject({ name: 'RangeError', message: 'outer', code: 'E1' })
  expect(told.cause).toMatchObject({ message: 'inner' })
  expect(guestError('a string').message).toBe('a string')
})

it.each([
  [`ENOENT: no such file, open '${join(homedir(), 'x/secret.txt')}'`],
  [`Cannot find module ${join(process.cwd(), 'node_modules/x/index.js')}`],
  [`failed at ${pathToFileURL(join(tmpdir(), 'a b/c.js')).href}:1:2`],
  ['EACCES, /etc/ssl/private/key.pem'],
  [String.raw`open C:\Users\me\file.txt failed`],
])('takes the host path out of: %s', (message) => {
  const told = guestError(new Error(message)).message
  expect(told).toContain('(a path of the host)')
  expect(told).not.toMatch(/secret|node_modules|\.js|pem|Users/)
  const cause = new Error('middle', { cause: new Error(message) })
  const outer = guestError(new Error('outer', { cause }))
  const inner = (outer.cause as Error).cause as Error
  expect(inner.message).toBe(told)
  expect(String(inner.stack)).not.toContain(message)
})

it.each([
  'GET https://api.example.com/var/x failed',
  'GET /api/v1/users failed with 404',
  'expected a/b/c, got 1/2',
  'the ratio was 3/4',
])('leaves what is no path of the host: %s', (message) => {
  expect(guestError(new Error(message)).message).toBe(message)
})
