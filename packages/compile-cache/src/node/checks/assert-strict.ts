import type assert from './assert.js'
import { strict } from './assert.js'

export const {
  AssertionError,
  deepEqual,
  deepStrictEqual,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  equal,
  fail,
  ifError,
  match,
  notDeepEqual,
  notDeepStrictEqual,
  notEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} = strict as typeof strict &
  Record<'deepEqual' | 'equal' | 'notDeepEqual' | 'notEqual', typeof assert>
export { strict }
export default strict
