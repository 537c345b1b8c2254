import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { EventBusError } from '../../errors.js'
import { Webhook } from './webhook.js'
import type { WebhookOptions } from './webhook-options.js'

const nowMs = 1_700_000_000_000
const seconds = String(nowMs / 1000)
const secret = 'a-shared-secret'
const standardSecret = `whsec_${Buffer.from(secret).toString('base64')}`
const mac = (text: string, key = secret) => createHmac('sha256', key).update(text)

/** For each scheme: its options, and headers that sign `body`. */
const schemes: Record<string, { options: WebhookOptions; sign: (body: string) => Headers }> = {
  'standard-webhooks': {
    options: { scheme: 'standard-webhooks', secrets: [standardSecret], type: 'com.a' },
    sign: (body) => ({
      'webhook-id': 'm-1',
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,${mac(`m-1.${seconds}.${body}`).digest('base64')}`,
    }),
  },
  github: {
    options: { scheme: 'github', secrets: [secret], type: 'com.a' },
    sign: (body) => ({ 'x-hub-signature-256': `sha256=${mac(body).digest('hex')}` }),
  },
  stripe: {
    options: { scheme: 'stripe', secrets: [secret], type: 'com.a' },
    sign: (body) => ({
      'stripe-signature': `t=${seconds},v1=${mac(`${seconds}.${body}`).digest('hex')}`,
    }),
  },
  hmac: {
    options: { scheme: 'hmac', secrets: [secret], type: 'com.a', typeHeader: 'x-topic' },
    sign: (body) => ({ 'x-signature': mac(body).digest('hex') }),
  },
}
type Headers = Record<string, string | string[]>

function receive(options: WebhookOptions, headers: Headers, body: string | Buffer) {
  try {
    const event = new Webhook(options).receive({ headers, body }, nowMs)
    return { id: event.id, type: event.type, data: event.data }
  } catch (error) {
    return (error as EventBusError).code
  }
}

const body = '{"id":"evt_1","type":"paid","text":"é"}'

describe.each(Object.entries(schemes))(
  'a webhook of the scheme %s',
  (scheme, { options, sign }) => {
    it('is the same event whatever its unsigned content type says, or is refused', () => {
      const as = (type?: string) =>
        receive(options, { ...sign(body), ...(type && { 'content-type': type }) }, body)
      const plain = as('application/json') as { id: string; data: unknown }
      expect(plain).toMatchObject({ data: { id: 'evt_1', type: 'paid', text: 'é' } })
      for (const type of [
        undefined,
        'text/plain',
        'application/json; charset=iso-8859-1',
        'image/png',
        'application/json; charset=utf-16le',
        'application/x-www-form-urlencoded',
        '',
        ';;;',
      ]) {
        const read = as(type)
        // A plain HMAC may sign anything, so its content type says what it is; the id is the same all the same.
        if (scheme !== 'hmac') expect(read).toEqual(plain)
        else if (typeof read === 'object') expect(read.id).toBe(plain.id)
        else expect(read).toBe('INVALID_JSON')
      }
    })

    it('is read as it was signed, byte by byte', () => {
      const spaced = '{ "id" : "evt_1",\n"n": 1.0, "n": 1 }'
      expect(receive(options, sign(spaced), spaced)).toMatchObject({ data: { id: 'evt_1', n: 1 } })
      expect(receive(options, sign(spaced), JSON.stringify(JSON.parse(spaced)))).toBe(
        'SIGNATURE_INVALID',
      )
    })

    it('is refused when a header of its signature was sent twice', () => {
      const signed = sign(body)
      for (const name of Object.keys(signed)) {
        const twice = { ...signed, [name]: [String(signed[name]), String(signed[name])] }
        expect(receive(options, twice, body)).toBe('INVALID_EVENT')
        // A list of signatures may be one header, of which one counts; all else that was joined is refused.
        if (name === 'webhook-signature') continue
        const joined = { ...signed, [name]: `${signed[name]}, ${signed[name]}` }
        expect(receive(options, joined, body)).toBe('SIGNATURE_INVALID')
      }
    })

    it('does not start with a secret that is short, blank or missing, and does not show it', () => {
      const made = (secrets: unknown) => () => new Webhook({ ...options, secrets } as never)
      for (const bad of ['', ' '.repeat(20), 'hunter2', ' hunter2-hunter2', 'whsec_', undefined]) {
        expect(made([bad])).toThrow(EventBusError)
        expect(made([secret, bad])).toThrow(EventBusError)
        expect(made([bad])).not.toThrow(/hunter2/)
      }
      expect(made([])).toThrow(EventBusError)
    })
  },
)

describe('a type named by an unsigned header', () => {
  it.each([
    ['push', 'com.a.push'],
    ['com.a.push', 'com.a.push'],
    ['..', 'com.a...'],
    ['.', 'com.a..'],
    ['../com.admin', 'com.a.../com.admin'],
    ['com.ab', 'com.a.com.ab'],
    ['com.a', 'com.a'],
    ['', 'com.a'],
    ['order created', 'com.a.order created'],
    ['\u212a', 'com.a.\u212a'],
    ['__proto__', 'com.a.__proto__'],
  ])('%j stays below the prefix, as %j', (named, type) => {
    for (const [scheme, name] of [
      ['github', 'x-github-event'],
      ['hmac', 'x-topic'],
    ] as const) {
      const { options, sign } = schemes[scheme]!
      expect(receive(options, { ...sign('{}'), [name]: named }, '{}')).toMatchObject({ type })
      expect(`${type}.`.startsWith('com.a.')).toBe(true)
    }
  })
})

describe('the time of a signature', () => {
  it.each([
    '1.7e9',
    `${seconds}.0`,
    `+${seconds}`,
    `0x${(nowMs / 1000).toString(16)}`,
    ` ${seconds}`,
    `-${seconds}`,
    '',
    'now',
    '1'.repeat(13),
  ])('is a whole number of seconds, and not %j', (time) => {
    for (const [scheme, headers] of [
      [
        'standard-webhooks',
        {
          'webhook-id': 'm-1',
          'webhook-timestamp': time,
          'webhook-signature': `v1,${mac(`m-1.${time}.${body}`).digest('base64')}`,
        },
      ],
      ['stripe', { 'stripe-signature': `t=${time},v1=${mac(`${time}.${body}`).digest('hex')}` }],
    ] as const) {
      expect(receive(schemes[scheme]!.options, headers, body)).toBe('SIGNATURE_INVALID')
    }
  })
})

it('a webhook of Stripe is JSON of any kind, whatever its unsigned content type says', () => {
  const { options, sign } = schemes.stripe!
  for (const json of ['"text"', '1', 'null', '[1]', ' {"id":"evt_2"}']) {
    for (const type of ['application/json', 'text/plain', 'image/png', undefined]) {
      const headers = { ...sign(json), ...(type && { 'content-type': type }) }
      expect(receive(options, headers, json)).toMatchObject({ data: JSON.parse(json) })
    }
  }
})

describe('encodings of a signature', () => {
  const { options, sign } = schemes.hmac!
  const hex = String(sign(body)['x-signature'])
  const base64 = Buffer.from(hex, 'hex').toString('base64')

  it.each([
    ['hex', hex, true],
    ['hex in upper case', hex.toUpperCase(), true],
    ['sha256= and hex', `sha256=${hex}`, true],
    ['base64', base64, true],
    ['base64 without padding', base64.replace('=', ''), true],
    ['hex with a byte more', `${hex}00`, false],
    ['hex with a byte less', hex.slice(2), false],
    ['hex with a space in it', `${hex.slice(0, 4)} ${hex.slice(4)}`, false],
    ['base64 with more padding', `${base64}=`, false],
    ['base64 with other bytes in it', `!${base64}`, false],
    ['base64 of the hex', Buffer.from(hex).toString('base64'), false],
    ['nothing', '', false],
  ])('of a plain HMAC: %s', (_, signature, isTaken) => {
    const read = receive(options, { 'x-signature': signature }, body)
    if (isTaken) expect(read).toMatchObject({ type: 'com.a' })
    else expect(read).toBe('SIGNATURE_INVALID')
  })

  it('of GitHub is sha256= and hex alone; sha1 counts for nothing', () => {
    const { options: github } = schemes.github!
    const sha1 = `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`
    for (const headers of [
      { 'x-hub-signature': sha1 },
      { 'x-hub-signature-256': sha1 },
      { 'x-hub-signature-256': hex },
      { 'x-hub-signature-256': `sha256=${base64}` },
    ]) {
      expect(receive(github, headers, body)).toBe('SIGNATURE_INVALID')
    }
    const both = { 'x-hub-signature': 'sha1=00', 'x-hub-signature-256': `sha256=${hex}` }
    expect(receive(github, both, body)).toMatchObject({ type: 'com.a' })
  })

  it('of Standard Webhooks covers an id without a dot: signed text can be parted in one way only', () => {
    const { options: standard } = schemes['standard-webhooks']!
    // Signed long ago, as id `q1` and a number; sent again as another id, a fresh time and the rest of the number.
    const signature = `v1,${mac(`q1.1600000000.${seconds}.25`).digest('base64')}`
    const parted = {
      'webhook-id': 'q1.1600000000',
      'webhook-timestamp': seconds,
      'webhook-signature': signature,
    }
    expect(receive(standard, parted, '25')).toBe('SIGNATURE_INVALID')
  })

  it('of Standard Webhooks is one v1 of several; v1a counts for nothing', () => {
    const { options: standard, sign: signed } = schemes['standard-webhooks']!
    const good = String(signed(body)['webhook-signature'])
    const ask = (signature: string) =>
      receive(standard, { ...signed(body), 'webhook-signature': signature }, body)
    expect(ask(`v1a,${good.slice(3)} v1,AAAA ${good}`)).toMatchObject({ id: 'm-1' })
    for (const bad of [
      good.replace('v1,', 'v1a,'),
      good.replace('v1,', 'v1='),
      good.slice(3),
      `v1,${good}`,
    ]) {
      expect(ask(bad)).toBe('SIGNATURE_INVALID')
    }
  })
})
