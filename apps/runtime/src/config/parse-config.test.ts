import { describe, expect, it } from 'vitest'
import { ConfigError } from './diagnostics.js'
import { parseConfig } from './parse-config.js'

const file = `${process.cwd()}/nexus.yaml`

function mistakesIn(text: string): string {
  try {
    parseConfig(text, file)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message
  }
  throw new Error('expected a ConfigError')
}

const valid = `functions:
  - name: total
    source: ./total.ts
    events: [com.nexus.order.created]
`

describe('a nexus.yaml', () => {
  it('needs no more than functions, and fills in the rest', () => {
    const { config } = parseConfig(valid, file)
    expect(config.server).toEqual({ host: '127.0.0.1', port: 8080, bodyLimitBytes: 1_048_576 })
    expect(config.bus).toBe('local')
    expect(config.dataDir).toBe('.nexus')
    expect(config.functions[0]).toMatchObject({ name: 'total', capabilities: [], env: [] })
  })

  it('may be empty', () => {
    expect(parseConfig('', file).config.functions).toEqual([])
    expect(parseConfig('# nothing yet\n', file).config.functions).toEqual([])
  })

  it('that is not YAML is refused with the place and the line', () => {
    const message = mistakesIn('functions:\n  - name: total\n    source: "./a.ts\n')
    expect(message).toMatch(/^nexus\.yaml:\d+:\d+: Missing closing "quote/)
    expect(message).toContain('3 |     source: "./a.ts')
  })

  it('with a key twice is refused', () => {
    expect(mistakesIn(`${valid}functions: []\n`)).toMatch(
      /^nexus\.yaml:5:1: Map keys must be unique/,
    )
  })

  it('with an unknown key names the place and the key that was meant', () => {
    expect(mistakesIn(valid.replace('events:', 'timeout: 50\n    events:'))).toBe(
      [
        'nexus.yaml:4:5: unknown key "timeout" in functions[0]; did you mean "timeoutMs"?',
        '',
        '  4 |     timeout: 50',
        '    |     ^',
      ].join('\n'),
    )
    expect(mistakesIn('server:\n  prot: 1\n')).toContain(
      '2:3: unknown key "prot" in server; did you mean "port"?',
    )
  })

  it('with an unknown key like no other lists the known ones', () => {
    expect(mistakesIn('xyzzy: 1\n')).toContain(
      '1:1: unknown key "xyzzy"; expected one of server, webhook, webhooks, bus, ',
    )
  })

  it('with a missing key points at the entry that lacks it', () => {
    expect(mistakesIn('functions:\n  - name: total\n    events: [a]\n')).toContain(
      'nexus.yaml:2:5: functions[0].source is missing: expected string',
    )
  })

  it('with a value of the wrong type points at the value', () => {
    expect(mistakesIn('server:\n  port: eighty\n')).toContain(
      'nexus.yaml:2:9: server.port: expected number, received string',
    )
    expect(mistakesIn('- a\n')).toContain('nexus.yaml:1:1: expected object, received array')
  })

  it('reports every mistake at once, in the order of the file', () => {
    const message = mistakesIn(
      'server:\n  port: 70000\nfunctions:\n  - name: a b\n    source: a.ts\n    events: [a*.c, "a.>.b"]\n',
    )
    expect(message.match(/^nexus\.yaml:\d+:\d+/gm)).toEqual([
      'nexus.yaml:2:9',
      'nexus.yaml:4:11',
      'nexus.yaml:6:14',
      'nexus.yaml:6:20',
    ])
  })

  it('accepts patterns with * for a token and a last > for the rest, and no others', () => {
    const withEvents = (events: string) => valid.replace('[com.nexus.order.created]', events)
    expect(() =>
      parseConfig(withEvents('[">", "a.*.c", "a.>", "order created", "a.b."]'), file),
    ).not.toThrow()
    expect(mistakesIn(withEvents('["a.>.c"]'))).toContain('expected dot-separated tokens')
  })

  it('that multiplies its aliases is refused', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (const [a, b] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg']) {
      bomb.push(`${b}: &${b} [${`*${a},`.repeat(9)}]`)
    }
    expect(mistakesIn(bomb.join('\n'))).toContain('Excessive alias count')
  })
})

it('takes merge keys, and x- keys that hold their anchors', () => {
  const text = `x-defaults: &defaults
  timeoutMs: 250
  retry: { maxAttempts: 2 }
functions:
  - { <<: *defaults, name: a, source: ./a.js, events: [a] }
  - <<: *defaults
    name: b
    source: ./b.js
    events: [b]
    timeoutMs: 900
`
  const { functions } = parseConfig(text, `${process.cwd()}/nexus.yaml`).config
  expect(functions).toMatchObject([
    { name: 'a', timeoutMs: 250, retry: { maxAttempts: 2 } },
    { name: 'b', timeoutMs: 900, retry: { maxAttempts: 2 } },
  ])
  // Only at the top: elsewhere an unknown key is a mistake.
  expect(() => parseConfig('server: { x-port: 1 }', 'nexus.yaml')).toThrow(/unknown key "x-port"/)
})
