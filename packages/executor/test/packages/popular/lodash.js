import _ from 'lodash'
export default () => [
  _.isBuffer(Buffer.from('a')),
  _.cloneDeep(Buffer.from('ab')).toString(),
  _.template('<%- a %>')({ a: '<' }),
  _.words('fooBar ü'),
  _.isEqual(new Map([[1, Buffer.from('a')]]), new Map([[1, Buffer.from('a')]])),
  _.isTypedArray(new Uint8Array(1)),
  _.now() > 0,
  _.toString(Symbol('a')),
]
