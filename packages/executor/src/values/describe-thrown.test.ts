import { describe, expect, it } from 'vitest'
import { fromSource, ZOO } from '../../test/values/zoo.js'
import { describeThrown, type ThrownDescription } from './describe-thrown.js'

function textsOf({ name, message, code = '', cause }: ThrownDescription): string[] {
  return [name, message, code, ...(cause ? textsOf(cause) : [])]
}

describe('describing a thrown value', () => {
  it.each(ZOO)('gives plain text of bounded length: %s', (_name, source) => {
    const texts = textsOf(describeThrown(fromSource(source)))
    for (const text of texts) {
      expect(typeof text).toBe('string')
      expect(text.length).toBeLessThanOrEqual(16_384)
    }
    expect(texts.length).toBeLessThanOrEqual(4 * 3)
    expect(texts[1]).not.toBe('')
  })

  it('keeps name, message, code and causes of an error', () => {
    const error = Object.assign(new TypeError('outer', { cause: 'why' }), { code: 'E1' })
    expect(describeThrown(error)).toEqual({
      name: 'TypeError',
      message: 'outer',
      code: 'E1',
      cause: { name: 'Error', message: 'why' },
    })
  })

  it('says what else was thrown', () => {
    expect(describeThrown('text').message).toBe('text')
    expect(describeThrown({}).message).toBe('an object without a message was thrown')
    expect(describeThrown([]).message).toBe('an array without a message was thrown')
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(describeThrown(proxy).message).toBe('a revoked proxy without a message was thrown')
  })
})
