import type { LookupAddress } from 'node:dns'
import { describe, expect, it } from 'vitest'
import { checkedLookup, isPublicAddress } from '../../src/net/address-policy.js'
import { handler, openRuntime } from '../runtimes.js'
import { openServer } from './servers.js'

let reached = 0
const secret = await openServer((_request, response) => {
  reached++
  response.end('inside')
})
let redirectTo = ''
const front = await openServer((_request, response) => {
  response.writeHead(302, { location: redirectTo })
  response.end()
})

const HOSTS: Record<string, string[]> = {
  'front.test': ['127.0.0.1'],
  'private.test': ['10.0.0.1'],
  'loopback.test': ['127.0.0.1'],
  'mixed.test': ['93.184.215.14', '127.0.0.1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  localhost: ['127.0.0.1'],
}
const runtime = openRuntime({
  threads: 0,
  resolveHost: async (hostname) =>
    (HOSTS[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
})
const fetchUrl = async (url: string, capabilities: string[]) => {
  const before = reached
  const { value, error } = await runtime.executeHandler(
    handler('return (await fetch(event)).text()'),
    { event: url, capabilities },
  )
  return { value, error, reached: reached > before }
}

describe('a handler that may fetch from every public host', () => {
  it.each([
    `http://127.0.0.1:${secret}/`,
    `http://2130706433:${secret}/`,
    `http://0x7f.1:${secret}/`,
    `http://0177.0.0.01:${secret}/`,
    `http://127.1:${secret}/`,
    `http://0:${secret}/`,
    `http://0.0.0.0:${secret}/`,
    `http://[::1]:${secret}/`,
    `http://[::]:${secret}/`,
    `http://[::ffff:127.0.0.1]:${secret}/`,
    `http://[::ffff:7f00:1]:${secret}/`,
    `http://[0:0:0:0:0:ffff:127.0.0.1]:${secret}/`,
    `http://[::127.0.0.1]:${secret}/`,
    `http://[64:ff9b::7f00:1]:${secret}/`,
    `http://[2002:7f00:1::]:${secret}/`,
    `http://[fe80::1]:${secret}/`,
    `http://[fd00:ec2::254]/`,
    `http://１２７.０.０.１:${secret}/`,
    `http://127。0。0。1:${secret}/`,
    `http://localhost:${secret}/`,
    `http://LOCALHOST:${secret}/`,
    `http://loopback.test:${secret}/`,
    `http://mixed.test:${secret}/`,
    `http://mapped.test:${secret}/`,
    'http://private.test/',
    'http://metadata.test/latest/meta-data/',
    'http://169.254.169.254/latest/meta-data/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
    'http://10.1.2.3/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ])('does not reach %s', async (url) => {
    const { error, reached } = await fetchUrl(url, ['net:*', 'net:*:*'])
    expect(error).toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(error?.message).toMatch(/grant it with the capability net:/)
    expect(reached).toBe(false)
  })

  it.each([
    'file:///etc/passwd',
    'ftp://front.test/',
    'data:text/plain,x',
    'gopher://127.0.0.1/',
    'blob:http://front.test/x',
    'javascript:1',
    `http://user:pass@front.test:${front}/`,
    `http://front.test:${front}@127.0.0.1:${secret}/`,
    `//front.test/`,
  ])('cannot fetch %s at all', async (url) => {
    const { error, reached } = await fetchUrl(url, ['net:*:*'])
    expect(error).toMatchObject({ name: 'TypeError' })
    expect(reached).toBe(false)
  })
})

describe('a redirect', () => {
  const granted = [`net:front.test:${front}`, 'net:*:*']

  it.each([
    `http://127.0.0.1:${secret}/`,
    `http://[::ffff:7f00:1]:${secret}/`,
    `http://2130706433:${secret}/`,
    `//loopback.test:${secret}/`,
    'http://metadata.test/',
  ])('to %s is checked as the first address was', async (location) => {
    redirectTo = location
    const { error, reached } = await fetchUrl(`http://front.test:${front}/`, granted)
    expect(error?.code).toBe('PERMISSION_DENIED')
    expect(reached).toBe(false)
  })

  it.each(['file:///etc/passwd', `http://u:p@front.test:${front}/`, 'http://'])(
    'to %s is an error',
    async (location) => {
      redirectTo = location
      const { error } = await fetchUrl(`http://front.test:${front}/`, granted)
      expect(error?.name).toBe('TypeError')
    },
  )

  it('to a host without capability is denied', async () => {
    redirectTo = `http://loopback.test:${secret}/`
    const { error } = await fetchUrl(`http://front.test:${front}/`, [`net:front.test:${front}`])
    expect(error?.message).toContain(`net:loopback.test:${secret}`)
  })
})

describe('a capability that names an inner host', () => {
  it.each([
    [`http://loopback.test:${secret}/`, `net:loopback.test:${secret}`],
    [`http://127.0.0.1:${secret}/`, `net:127.0.0.1:${secret}`],
    [`http://2130706433:${secret}/`, `net:127.0.0.1:${secret}`],
    [`http://localhost:${secret}/`, `net:LocalHost:${secret}`],
  ])('lets %s through: %s', async (url, token) => {
    expect(await fetchUrl(url, [token])).toMatchObject({ value: 'inside', reached: true })
  })

  it('opens no connection that a call without it may use', async () => {
    const url = `http://loopback.test:${secret}/`
    expect((await fetchUrl(url, [`net:loopback.test:${secret}`])).value).toBe('inside')
    expect((await fetchUrl(url, ['net:*.test:*'])).error?.code).toBe('PERMISSION_DENIED')
  })
})

describe('a name whose answer changes between the check and the connection', () => {
  const resolve = (answers: LookupAddress[][], all: boolean) => {
    let asked = 0
    const lookup = checkedLookup(
      async () => answers[asked++] as { address: string; family: 4 | 6 }[],
      isPublicAddress,
    )
    return new Promise<unknown[]>((done) =>
      lookup('rebind.test', { all }, (error, address) => done([error?.name, address, asked])),
    )
  }
  const outside = { address: '93.184.215.14', family: 4 }
  const inside = { address: '127.0.0.1', family: 4 }

  it('is connected to at the address that was checked, since it is asked for once', async () => {
    expect(await resolve([[outside], [inside]], false)).toEqual([undefined, outside.address, 1])
    expect(await resolve([[outside], [inside]], true)).toEqual([undefined, [outside], 1])
  })

  it('is refused when the answer that counts is private', async () => {
    expect(await resolve([[inside], [outside]], true)).toEqual(['PermissionError', '', 1])
    expect(await resolve([[outside, inside]], true)).toEqual(['PermissionError', '', 1])
    expect(await resolve([[]], true)).toEqual(['Error', '', 1])
  })
})
