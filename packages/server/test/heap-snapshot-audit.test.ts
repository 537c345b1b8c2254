import { RecordingLogger } from '@nexus/test-kit'
import { expect, it } from 'vitest'
import { everyPart } from './parts.js'
import { serve } from './serve.js'

const token = 'tok-1234567890123'
const right = { authorization: `Bearer ${token}` }
const page = { ...right, origin: 'https://evil.example' }

it.each([
  ['a server without a token', {}, {}, 403, /NEXUS_TOKEN/],
  ['a request without the token', { token }, {}, 401, /with the token/],
  ['a wrong token', { token }, { authorization: 'Bearer guessed-it' }, 401, /with the token/],
  ['a page of another origin', { token }, page, 403, /other origins/],
  ['profiling that is off', { token, profiler: false }, right, 403, /turned off/],
] as const)(
  '%s gets no heap snapshot, and the log says who asked',
  async (_, options, headers, status, reason) => {
    const logger = new RecordingLogger()
    const { send } = await serve({ ...everyPart().options, ...options, logger })
    const refused = await send('/api/heap-snapshot', { method: 'POST', headers })
    expect(refused.status).toBe(status)
    expect(logger.entries).toEqual([
      {
        level: 'warn',
        message: 'no heap snapshot was taken',
        fields: { address: '127.0.0.1', reason: expect.stringMatching(reason) },
      },
    ])
    expect(JSON.stringify(logger.entries)).not.toContain('guessed-it')
  },
)
