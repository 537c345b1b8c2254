import { fromSource, ZOO } from '@nexus/test-kit'
import { describe, expect, it } from 'vitest'
import { describeThrown, type ThrownDescription } from './describe-thrown.js'

function textsOf({ name, message, code = '', stack = '', cause }: ThrownDescription): string[] {
  return [name, message, code, stack, ...(cause ? textsOf(cause) : [])]
}

describe('describing a thrown value', () => {
  it.each(ZOO)('gives plain text of bounded length: %s', (_name, source) => {
    const texts = textsOf(describeThrown(fromSource(source)))
    for (const text of texts) {
      expect(typeof text).toBe('string')
      expect(text.length).toBeLessThanOrEqual(16_384)
    }
    expect(texts.length).toBeLessThanOrEqual(4 * 4)
    expect(texts[1]).not.toBe('')
  })

  it('keeps name, message, code, status, stack and causes of an error', () => {
    const error = Object.assign(new TypeError('outer', { cause: 'why' }), {
      code: 'E1',
      statusCode: 404,
    })
    expect(describeThrown(error)).toEqual({
      name: 'TypeError',
      message: 'outer',
      code: 'E1',
      stack: error.stack,
      statusCode: 404,
      cause: { name: 'Error', message: 'why' },
    })
  })

  it('leaves out fields of another kind', () => {
    expect(describeThrown({ message: 'x', name: 1, code: 2, stack: [], statusCode: '3' })).toEqual({
      name: 'Error',
      message: 'x',
    })
  })

  it('says what else was thrown', () => {
    expect(describeThrown('text').message).toBe('text')
    expect(describeThrown(undefined).message).toBe('undefined')
    expect(describeThrown({}).message).toBe('an object without a message was thrown')
    expect(describeThrown([]).message).toBe('an array without a message was thrown')
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(describeThrown(proxy).message).toBe('a revoked proxy without a message was thrown')
  })
})
