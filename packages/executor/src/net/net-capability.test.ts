import { describe, expect, it } from 'vitest'
import { netGrant } from './net-capability.js'

describe('a net capability', () => {
  it.each([
    ['net:api.example.com', 'https://api.example.com/x', 'named'],
    ['net:api.example.com', 'http://api.example.com/', 'named'],
    ['net:API.example.com', 'https://api.EXAMPLE.com/', 'named'],
    ['net:münchen.example', 'https://xn--mnchen-3ya.example/', 'named'],
    ['net:api.example.com', 'https://api.example.com:8443/', undefined],
    ['net:api.example.com:8443', 'https://api.example.com:8443/', 'named'],
    ['net:api.example.com:443', 'https://api.example.com/', 'named'],
    ['net:api.example.com:443', 'http://api.example.com/', undefined],
    ['net:api.example.com:*', 'http://api.example.com:1/', 'named'],
    ['net:api.example.com', 'https://api.example.com.evil.test/', undefined],
    ['net:api.example.com', 'https://evil-api.example.com/', undefined],
    ['net:*.example.com', 'https://a.b.example.com/', 'public'],
    ['net:*.example.com', 'https://example.com/', undefined],
    ['net:*.example.com', 'https://notexample.com/', undefined],
    ['net:*', 'https://anything.test/', 'public'],
    ['net:*', 'https://anything.test:444/', undefined],
    ['net:*:*', 'https://anything.test:444/', 'public'],
    ['net:[::1]:80', 'http://[0:0::1]/', 'named'],
    ['net:127.0.0.1', 'http://0x7f000001/', 'named'],
    ['net:', 'http://a.test/', undefined],
    ['net:a.test/path', 'http://a.test/', undefined],
    ['net:u@a.test', 'http://a.test/', undefined],
    ['net:a.*', 'http://a.test/', undefined],
    ['net:**', 'http://a.test/', undefined],
    ['ext:a.test', 'http://a.test/', undefined],
  ])('%s on %s: %s', (token, url, grant) => {
    expect(netGrant([token], new URL(url))).toBe(grant)
  })

  it('that names the host counts more than one that only covers it', () => {
    expect(netGrant(['net:*', 'net:a.test', 'net:*.test'], new URL('http://a.test/'))).toBe('named')
  })
})
